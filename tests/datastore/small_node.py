"""A device for the tests: a QKD node with two modules and no light.

Its hardware refuses links on modules that it does not have, and breaks when it is moved to `broken shelf`.
"""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from sdqkd.errors import RpcError, SdqkdError
from sdqkd.schema import table
from sdqkd.schema.tree import EMPTY, Container, Entries, get, put
from sdqkd.schema.tree import Path as TreePath
from sdqkd.schema.xml import decode

DATA = Path(__file__).parent / "data"
NODE = "etsi-qkd-sdn-node:qkd_node"
LINKS: TreePath = (NODE, "qkd_links", "qkd_link")
INTERFACES: TreePath = (NODE, "qkd_interfaces", "qkd_interface")


class SmallNode:
    """Remembers what it was told to do."""

    def __init__(self) -> None:
        self.name = "small-node"
        self.schema = table.load("qkd-node")
        self.applied: list[Container] = []

    def factory(self) -> Container:
        return decode(self.schema, etree.parse(DATA / "factory.xml").getroot())

    def check(self, proposed: Container) -> None:
        modules = {keys[0] for keys in _entries(proposed, INTERFACES)}
        for keys, link in _entries(proposed, LINKS).items():
            wanted = get(link, ("qkdl_local", "qkdi_id"))
            if wanted is not None and wanted not in modules:
                path = f"/{NODE}/qkd_links/qkd_link[qkdl_id='{keys[0]}']/qkdl_local/qkdi_id"
                raise RpcError("operation-failed", f"this node has no module {wanted}", path=path)

    def apply(self, running: Container) -> None:
        if get(running, (NODE, "qkdn_location_id")) == "broken shelf":
            raise SdqkdError("the shelf gave way")
        self.applied.append(running)

    def state(self) -> Container:
        tree = put(self.schema, EMPTY, (NODE, "qkdn_status"), "etsi-qkd-node-types:OPERATING")
        for keys in _entries(self.applied[-1], LINKS):
            path = (*LINKS[:-1], ("qkd_link", keys), "sdqkd-qkd-node:oper-status")
            tree = put(self.schema, tree, path, "etsi-qkd-node-types:PENDING")
        return tree


def _entries(tree: Container, path: TreePath) -> dict[tuple[str, ...], Container]:
    node = get(tree, path)
    return dict(node.entries) if isinstance(node, Entries) else {}
