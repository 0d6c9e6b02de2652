"""A device with the modules of the conformance kit. There is nothing behind it but some bells."""

from __future__ import annotations

from sdqkd.errors import RpcError
from sdqkd.schema import table
from sdqkd.schema.tree import EMPTY, Container, Path

_MODULE = "sdqkd-conformance-operations"


class Workshop:
    """Does what `sdqkd-conformance-operations` says; the bell `cracked` cannot ring."""

    name = "workshop"

    def __init__(self) -> None:
        self.schema = table.load("conformance")

    def factory(self) -> Container:
        return EMPTY

    def check(self, proposed: Container) -> None:
        pass

    def apply(self, running: Container) -> None:
        pass

    def state(self) -> Container:
        return EMPTY

    def invoke(self, operation: str, at: Path, parameters: Container) -> Container:
        if operation == f"{_MODULE}:add":
            left, right = (int(str(parameters.children[name])) for name in ("left", "right"))
            return Container({"sum": str(left + right)})
        if operation == f"{_MODULE}:ring":
            return Container({"rung": " ".join([at[-1][1][0]] * self._times(at, parameters))})
        assert operation == f"{_MODULE}:rest"
        return EMPTY

    def _times(self, at: Path, parameters: Container) -> int:
        if at[-1][1] == ("cracked",):
            raise RpcError("operation-failed", "this bell is cracked", app_tag="cracked")
        return int(str(parameters.children["times"]))
