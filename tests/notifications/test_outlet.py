from __future__ import annotations

from collections.abc import Callable

from tests.notifications.conftest import Notebook

from sdqkd.notifications.outlet import View
from sdqkd.schema.tree import Container


def test_the_same_tree_is_selected_from_once(notebook: Callable[..., Notebook]) -> None:
    trees = [Container({"a:b": "1"}), Container({"a:b": "1"})]
    now = trees[0]
    asked = []

    def select(tree: Container) -> Container:
        asked.append(tree)
        return Container(dict(tree.children))

    view = View(lambda: now, notebook(), select)
    first = view()
    assert view() is first
    now = trees[1]
    assert view() is not first
    assert len(asked) == 2
