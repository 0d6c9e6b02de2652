"""The parameters of an operation, read strictly: RFC 6241 section 7 and appendix C.

What is missing gives missing-element, what nobody knows unknown-element or unknown-attribute, what is there twice
and text between elements bad-element.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeVar, cast, get_args

from sdqkd.datastore.locks import Target
from sdqkd.errors import RpcError
from sdqkd.netconf.xml import BASE, Element, local_name_of, namespace_of, text_of
from sdqkd.schema.elements import holds_text

Word = TypeVar("Word", bound=str)

_TARGETS: dict[str, Target] = {f"{{{BASE}}}{name}": name for name in get_args(Target)}
# Of RFC 6241 appendix C, but behind capabilities that an agent may not announce.
_NOT_OFFERED = ("startup", "url")
# Those in other namespaces are annotations, which say nothing to us.
_OUR_ATTRIBUTES = frozenset({"", BASE, "urn:ietf:params:xml:ns:yang:1"})
_READ_ELSEWHERE = frozenset({"filter", "config"})  # their attributes
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
_DATASTORES = "urn:ietf:params:xml:ns:yang:ietf-datastores"


@dataclass(frozen=True, slots=True)
class Filter:
    """A <filter>: a subtree filter or, with `select`, an XPath expression."""

    element: Element
    select: str | None = None


class Parameters:
    """The children of an operation element, of which only those named in `known` may be there.

    With None the operation reads what it was given by itself. They are in its namespace; for one in another
    namespace, `known` has its XML name. What is in `lists` may come more than once. `targets` are the datastores
    that there are. Every method raises RpcError if the parameter is wrong.
    """

    def __init__(
        self,
        operation: Element,
        known: Collection[str] | None,
        targets: Collection[Target] = ("running", "candidate"),
        lists: Collection[str] = (),
    ) -> None:
        self.operation = operation
        self._targets = targets
        self._found: dict[str, Element] = {}
        self._more: dict[str, list[Element]] = {}
        if known is None:
            return
        _refuse_attributes(operation)
        _refuse_text(operation)
        for child in _children(operation):
            name = local_name_of(child)
            own = name if namespace_of(child) == namespace_of(operation) else str(child.tag)
            if own not in known:
                raise unknown_element(child)
            if name not in _READ_ELSEWHERE:
                _refuse_attributes(child)
            if name not in self._found:
                self._found[name] = child
            elif name in lists:
                self._more.setdefault(name, []).append(child)
            else:
                raise bad_element(child, f"<{name}> came more than once")

    def has(self, name: str) -> bool:
        """Whether a parameter is there."""
        return name in self._found

    def flag(self, name: str) -> bool:
        """Read a parameter that is there, without content, or not."""
        if name not in self._found:
            return False
        if self.text(name) or _children(self.element(name)):
            raise invalid_value(name, f"<{name}> has no content")
        return True

    def datastore(self, name: str, *among: Target) -> Target:
        """Read a parameter that holds `<running/>`, `<candidate/>` or another datastore (if given: of these)."""
        choice = self._choice(name)
        target = _TARGETS.get(str(choice.tag))
        if target is None or target not in self._targets:
            raise unknown_element(choice)
        if among and target not in among:
            message = f"<{name}> cannot be {target} here: it is {' or '.join(among)}"
            raise _parameter_error("unknown-element", target, message)
        return target

    def any_datastore(self, name: str) -> Target:
        """Read a parameter that holds a datastore, or <datastore> with its identity: RFC 8526 section 3.2."""
        choice = self._choice(name)
        if choice.tag != f"{{{NMDA}}}datastore":
            return self.datastore(name)
        return self._identified(choice, self._targets)

    def datastore_or_config(self, name: str) -> Target | Element:
        """Read a parameter that holds a datastore in either form or a whole configuration, <config>."""
        choice = self._choice(name)
        return choice if choice.tag == f"{{{BASE}}}config" else self.any_datastore(name)

    def identified(self, name: str, among: Collection[Word]) -> Word:
        """Read a parameter that must be there and is the identity of one of these datastores."""
        return self._identified(self.element(name), among)

    def _identified(self, element: Element, among: Collection[Word]) -> Word:
        name = identity_of(element, _DATASTORES)
        if name not in among:
            message = f"'{text_of(element)[:80]}' is none of the datastores that this can be: {', '.join(among)}"
            raise invalid_value(local_name_of(element), message)
        return cast(Word, name)

    def element(self, name: str) -> Element:
        """Give the element of a parameter that must be there."""
        if name not in self._found:
            message = f"<{local_name_of(self.operation)}> needs <{name}>"
            raise _parameter_error("missing-element", name, message)
        return self._found[name]

    def elements(self, name: str) -> list[Element]:
        """Give the elements of a parameter that may come more than once, or not at all."""
        return [self._found[name], *self._more.get(name, ())] if name in self._found else []

    def at_most_one(self, *names: str) -> None:
        """Raise RpcError bad-element if there is more than one of these, which are a choice."""
        given = [name for name in names if name in self._found]
        if len(given) > 1:
            raise bad_element(self._found[given[1]], f"<{given[1]}> cannot stand beside <{given[0]}>")

    def text(self, name: str) -> str:
        """Give the text of a parameter that must be there."""
        return text_of(self.element(name))

    def optional_text(self, name: str) -> str | None:
        """Give the text of a parameter, None if it is not there."""
        return self.text(name) if name in self._found else None

    def word(self, name: str, words: Collection[Word]) -> Word | None:
        """Read a parameter that is one of some words; None if it is not there."""
        if name not in self._found:
            return None
        text = self.text(name)
        if text not in words:
            raise invalid_value(name, f"'{text[:80]}' is no {name}: it is one of {', '.join(words)}")
        return cast(Word, text)

    def number(self, name: str, lowest: int = 0, highest: int = 2**32 - 1) -> int:
        """Read a parameter that must be there and is a number, a uint32 unless said."""
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and lowest <= int(text) <= highest):
            raise invalid_value(name, f"'{text[:80]}' is no {name}: it is a number from {lowest} to {highest}")
        return int(text)

    def filter(self) -> Filter | None:
        """Give the filter, None without one. A filter that names no type is a subtree filter."""
        element = self._found.get("filter")
        if element is None:
            return None
        kind = _attribute(element, "type") or "subtree"
        if kind not in {"subtree", "xpath"}:
            raise bad_attribute(element, "type", f"'{kind[:80]}' is no type of filter")
        if kind == "subtree":
            return Filter(element)
        select = _attribute(element, "select")
        if select is None:
            info = {"bad-attribute": "select", "bad-element": "filter"}
            raise RpcError(
                "missing-attribute", "an XPath filter needs the attribute select", "protocol", info=info
            )
        if text_of(element) or _children(element):
            raise bad_element(element, "an XPath filter stands in the attribute select, and has no content")
        return Filter(element, select)

    def _choice(self, name: str) -> Element:
        _refuse_text(self.element(name))
        choices = _children(self.element(name))
        if not choices:
            raise _parameter_error("missing-element", name, f"<{name}> must name a datastore")
        if len(choices) > 1:
            raise bad_element(choices[1], f"<{name}> names more than one thing")
        return choices[0]


def _children(element: Element) -> list[Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _refuse_attributes(element: Element) -> None:
    """Raise RpcError for attributes that mean nothing here: whoever sent them meant something."""
    for name in map(str, element.keys()):
        namespace, _, local = name.rpartition("}")
        if namespace[1:] in _OUR_ATTRIBUTES:
            message = f"<{local_name_of(element)}> has no attribute {local[:80]}"
            info = {"bad-attribute": local[:80], "bad-element": local_name_of(element)}
            raise RpcError("unknown-attribute", message, "protocol", info=info)


def _refuse_text(element: Element) -> None:
    if holds_text(element):
        raise bad_element(element, f"<{local_name_of(element)}> holds elements, and no text between them")


def _attribute(element: Element, name: str) -> str | None:
    """Give an attribute, which some clients write with a prefix."""
    value = element.get(name)
    return element.get(f"{{{BASE}}}{name}") if value is None else value


def identity_of(element: Element, namespace: str) -> str | None:
    """Give the name of the identity that an element holds, None if it is not one of this namespace."""
    prefix, _, name = text_of(element).rpartition(":")
    return name if element.nsmap.get(prefix or None) == namespace else None


def bad_attribute(element: Element, name: str, message: str) -> RpcError:
    """Give the error for an attribute whose value is wrong."""
    info = {"bad-attribute": name, "bad-element": local_name_of(element)}
    return RpcError("bad-attribute", message, "protocol", info=info)


def unknown_element(element: Element) -> RpcError:
    """Give the error for a parameter that this operation does not have, or that needs another capability."""
    name, namespace = local_name_of(element), namespace_of(element)
    if namespace == BASE and name in _NOT_OFFERED:
        message = f"<{name}> belongs to the capability :{name}, which is not offered here"
    else:
        message = f"<{name}> in '{namespace}' is not known here"
    return _parameter_error("unknown-element", name, message)


def bad_element(element: Element, message: str) -> RpcError:
    """Give the error for a parameter that contradicts another."""
    return _parameter_error("bad-element", local_name_of(element), message)


def invalid_value(name: str, message: str) -> RpcError:
    """Give the error for a parameter whose value is wrong."""
    return _parameter_error("invalid-value", name, message)


def _parameter_error(
    tag: Literal["unknown-element", "missing-element", "bad-element", "invalid-value"], name: str, message: str
) -> RpcError:
    return RpcError(tag, message, "protocol", info={"bad-element": name})
