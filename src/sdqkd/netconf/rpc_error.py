"""The <rpc-error> element: RFC 6241 section 4.3 and appendix B, RFC 7950 section 15."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from sdqkd.errors import ErrorType, RpcError
from sdqkd.netconf.error_path import from_xpath, to_xpath
from sdqkd.netconf.xml import YANG, Element, escape, local_name_of, text_of

_NON_UNIQUE = "non-unique"  # RFC 7950 section 15.1
_MISSING_CHOICE = "missing-choice"  # section 15.6
_PATHS = ("error-path", _NON_UNIQUE)
_TYPES: dict[str, ErrorType] = {name: name for name in get_args(ErrorType)}


def build_error(error: RpcError, namespaces: Mapping[str, str]) -> bytes:
    """Write an error; `namespaces` gives that of each module, to bind the prefixes of paths."""
    parts = [
        _leaf("error-type", error.type),
        _leaf("error-tag", error.tag),
        _leaf("error-severity", error.severity),
        _leaf("error-app-tag", error.app_tag) if error.app_tag else "",
        _path_leaf("error-path", error.path, namespaces) if error.path else "",
        f'<error-message xml:lang="en">{escape(error.message)}</error-message>',
        f"<error-info>{info}</error-info>" if (info := _info(error, namespaces)) else "",
    ]
    return f"<rpc-error>{''.join(parts)}</rpc-error>".encode()


def _info(error: RpcError, namespaces: Mapping[str, str]) -> str:
    own = f' xmlns="{YANG}"'
    leaves = [_leaf(name, text, own if name == _MISSING_CHOICE else "") for name, text in error.info.items()]
    leaves += [_path_leaf(_NON_UNIQUE, path, namespaces, own) for path in error.non_unique]
    return "".join(leaves) + error.structure


def _leaf(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{escape(text)}</{name}>"


def _path_leaf(name: str, path: str, namespaces: Mapping[str, str], attributes: str = "") -> str:
    xpath, modules = to_xpath(path)
    bound = "".join(
        f' xmlns:{module}="{escape(namespaces[module])}"' for module in sorted(modules & namespaces.keys())
    )
    return _leaf(name, xpath, attributes + bound)


def parse_error(element: Element, modules: Mapping[str, str]) -> RpcError:
    """Read an error that any server may have written; `modules` gives the module of a namespace."""
    leaves = {local_name_of(child): child for child in element if isinstance(child.tag, str)}
    texts = {name: _text(leaf, modules) for name, leaf in leaves.items() if name != "error-info"}
    info = [leaf for leaf in leaves.get("error-info", ()) if isinstance(leaf.tag, str)]
    tag = texts.get("error-tag") or "operation-failed"
    return RpcError(
        tag=tag,
        message=texts.get("error-message") or f"the device gives no message with its {tag}",
        type=_TYPES.get(texts.get("error-type", ""), "application"),
        path=texts.get("error-path") or None,
        app_tag=texts.get("error-app-tag") or None,
        info={local_name_of(leaf): text_of(leaf) for leaf in info if local_name_of(leaf) != _NON_UNIQUE},
        severity="warning" if texts.get("error-severity") == "warning" else "error",
        non_unique=tuple(_text(leaf, modules) for leaf in info if local_name_of(leaf) == _NON_UNIQUE),
    )


def _text(leaf: Element, modules: Mapping[str, str]) -> str:
    text = text_of(leaf)
    if local_name_of(leaf) not in _PATHS:
        return text
    bound = {prefix: modules[uri] for prefix, uri in leaf.nsmap.items() if prefix and uri in modules}
    return from_xpath(text, bound)
