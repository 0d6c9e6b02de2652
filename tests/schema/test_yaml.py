from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from sdqkd.errors import InputError, InputErrors
from sdqkd.schema.table import Schema, load
from sdqkd.schema.tree import EMPTY, Container, Entries
from sdqkd.schema.validate import Validator
from sdqkd.schema.yaml import read_yaml

_EXAMPLE = Path(__file__).parents[2] / "examples" / "madqci" / "network.yaml"


def _read(schema: Schema, source: str) -> Container:
    return read_yaml(schema, textwrap.dedent(source), "n.yaml").tree


def test_the_schema_says_what_a_value_is(schema: Schema) -> None:
    tree = _read(
        schema,
        """
        values:
          decimal: 7.470
          int8: 012
          boolean: true
          empty:
          string: on
          hex: 00:0A
          uint64: 1
          time: 2024-06-01T12:00:00Z
          identity: BLUE
          union: RED
          short: "null"
        root-leaf: ""
        """,
    )
    assert tree.children["fixture:values"].children == {
        "decimal": "7.47",
        "int8": "12",
        "boolean": "true",
        "empty": "",
        "string": "on",
        "hex": "00:0a",
        "uint64": "1",
        "time": "2024-06-01T12:00:00Z",
        "identity": "fixture:BLUE",
        "union": "fixture-types:RED",
        "short": "null",
    }
    assert tree.children["fixture:root-leaf"] == ""


def test_lists_and_lines(schema: Schema) -> None:
    document = read_yaml(
        schema,
        textwrap.dedent(
            """\
            fixture:rows:
              row:
                - name: a
                  cell:
                    - {y: "it's", x: 1}
                - {slot: 2, name: b}
              number:
                - 1
                - 2
            box:
              mark:
            """
        ),
        "n.yaml",
    )
    cell = Container({"x": "1", "y": "it's"})
    row_a = Container({"name": "a", "cell": Entries({("1", "it's"): cell})})
    rows = Entries({("a",): row_a, ("b",): Container({"name": "b", "slot": "2"})})
    assert document.tree.children["fixture:rows"] == Container({"row": rows, "number": ("1", "2")})
    assert document.tree.children["fixture:box"] == Container({"mark": EMPTY})
    assert document.lines == {
        "/": 1,
        "/fixture:rows": 1,
        "/fixture:rows/row": 2,
        "/fixture:rows/row[name='a']": 3,
        "/fixture:rows/row[name='a']/name": 3,
        "/fixture:rows/row[name='a']/cell": 4,
        "/fixture:rows/row[name='a']/cell[x='1'][y=\"it's\"]": 5,
        "/fixture:rows/row[name='a']/cell[x='1'][y=\"it's\"]/x": 5,
        "/fixture:rows/row[name='a']/cell[x='1'][y=\"it's\"]/y": 5,
        "/fixture:rows/row[name='b']": 6,
        "/fixture:rows/row[name='b']/slot": 6,
        "/fixture:rows/row[name='b']/name": 6,
        "/fixture:rows/number": 7,
        "/fixture:rows/number[.='1']": 8,
        "/fixture:rows/number[.='2']": 9,
        "/fixture:box": 10,
        "/fixture:box/mark": 11,
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "n.yaml: the file is empty"),
        ("# nothing\n", "n.yaml: the file is empty"),
        ("box: [}", "n.yaml:1: not YAML: "),
        ("box:\n\tlabel: a", "n.yaml:2: not YAML: "),
        ("box: *nobody", "n.yaml:1: not YAML: "),
        ("box: {}\n---\nbox: {}", "n.yaml:2: not YAML: expected a single document"),
        ("box: \x00", "n.yaml: not YAML: unacceptable character"),
        ("[" * 5000, "n.yaml:1: nested too deeply"),
        ("- box", "n.yaml:1: the file holds names with values here"),
        ("boxx: {}", "n.yaml:1: the model has no 'boxx' at the top; did you mean 'fixture:box'?"),
        ("box:\n  lable: a", "n.yaml:2: the model has no 'lable' in box; did you mean 'label'? (at /fixture:box)"),
        ("box:\n  label: a\n  text: b\n  label: c", "n.yaml:4: label is given twice (at /fixture:box/label)"),
        ("box:\n  state: s", "n.yaml:2: state is state that the device reports"),
        ("box: text", "n.yaml:1: box holds names with values here"),
        ("box:\n  label: [a]", "n.yaml:2: label takes one value (at /fixture:box/label)"),
        ("box:\n  label:", "n.yaml:2: label has no value"),
        ("box:\n  label: A", "n.yaml:2: 'A' is not a name: it must match"),
        ("box:\n  tag: a", "n.yaml:2: tag is a list: write each item on a line with `- ` before it"),
        ("box:\n  tag: [a,\n  a]", "n.yaml:3: tag[.='a'] is given twice"),
        ("box:\n  water: 1\n  grain: 2", "n.yaml:3: water and grain exclude each other (at /fixture:box/grain)"),
        ("box:\n  <<: {label: a}", "n.yaml:2: merge keys (<<) are not supported"),
        ("values:\n  boolean: on", "n.yaml:2: 'on' is not true or false (at /fixture:values/boolean)"),
        ("values:\n  identity: GREEN", "n.yaml:2: 'GREEN' is not one of "),
        ("rows:\n  row: [a]", "n.yaml:2: an entry of row needs its names"),
        ("rows:\n  row:\n    - slot: 1", "n.yaml:3: an entry of row lacks its key 'name' (at /fixture:rows/row)"),
        (
            "rows:\n  row:\n    - name: a\n    - name: b\n    - name: a",
            "n.yaml:5: row a is given twice, first in line 3 (at /fixture:rows/row[name='a'])",
        ),
        ("? [a, b]\n: 1", "n.yaml:1: a name belongs before the colon, and no list or mapping"),
        ("box: &a\n  lid: *a", "n.yaml:2: the model has no 'lid' in lid"),
    ],
)
def test_a_mistake_has_its_file_line_and_path(source: str, message: str, schema: Schema) -> None:
    with pytest.raises(InputError) as raised:
        read_yaml(schema, source, "n.yaml")
    assert str(raised.value).startswith(message)


def test_all_mistakes_are_told_in_order_of_lines(schema: Schema) -> None:
    with pytest.raises(InputErrors) as raised:
        read_yaml(schema, "box:\n  lable: a\nvalues:\n  int8: x\n  int16: y\n", "n.yaml")
    assert [error.line for error in raised.value.errors] == [2, 4, 5]
    assert raised.value.line == 2
    assert len(str(raised.value).splitlines()) == 3


def test_a_name_of_two_modules_is_not_guessed(schema: Schema) -> None:
    assert _read(schema, "box: {fixture-more:label: x}") == Container(
        {"fixture:box": Container({"fixture-more:label": "x"})}
    )
    # The parent's own module comes first, as in RFC 7951.
    assert _read(schema, "box: {label: x}") == Container({"fixture:box": Container({"label": "x"})})


def test_aliases_repeat_what_they_stand_for(schema: Schema) -> None:
    tree = _read(schema, "box: {text: &shared hello}\nroot-leaf: *shared")
    assert tree.children["fixture:root-leaf"] == "hello"


def test_a_short_file_cannot_stand_for_a_huge_one(schema: Schema) -> None:
    """Nothing else is told of it: neither what is wrong in the part that was read, nor what was not read."""
    cells = "".join(f"{{x: {n % 100}, y: k{n}, colour: red}}," for n in range(1000))
    rows = "".join(f"  - {{name: r{n}, up: , cell: *cells}}\n" for n in range(1000))
    source = f"rows:\n  row:\n  - {{name: first, cell: &cells [{cells}]}}\n{rows}"
    with pytest.raises(InputError) as raised:
        read_yaml(schema, source, "n.yaml")
    assert str(raised.value) == "n.yaml:3: aliases repeat too much"


def test_the_example_network_is_valid() -> None:
    schema = load("network")
    document = read_yaml(schema, _EXAMPLE.read_text("utf-8"), str(_EXAMPLE))
    Validator(schema).check(document.tree)
