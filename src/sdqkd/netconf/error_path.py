"""Instance paths in an <rpc-error>: the form of RFC 7951 inside the program, XPath on the wire.

Inside, a step names its module only where it differs from its parent's: `/a:node/links/link[id='1']/b:power`.
In XPath an unprefixed name has no namespace, so on the wire each name bears a prefix, bound by xmlns:
`/a:node/a:links/a:link[a:id='1']/b:power`. We bind module names as prefixes; others bind what they like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# A quoted value, which is left alone, or a name that begins a step or a predicate (not a function).
_TOKEN = re.compile(
    r"""(?P<quoted>'[^']*'|"[^"]*")|(?P<lead>[/\[]\s*)(?:(?P<prefix>[A-Za-z_][\w.-]*):)?(?P<name>[A-Za-z_][\w.-]*)(?![\w.(:-])"""
)


def to_xpath(path: str) -> tuple[str, frozenset[str]]:
    """Give each name of a path its module as prefix; return the XPath and the modules it names."""
    modules: list[str] = []  # those met, in order; the last one is the module of the step we are in

    def qualify(token: re.Match[str]) -> str:
        if token["quoted"]:
            return token["quoted"]
        module = token["prefix"] or (modules[-1] if modules else None)
        if token["prefix"] and "[" not in token["lead"]:
            modules.append(token["prefix"])
        named.update([module] if module else [])
        return f"{token['lead']}{module}:{token['name']}" if module else token[0]

    named: set[str] = set()
    return _TOKEN.sub(qualify, path), frozenset(named)


def from_xpath(xpath: str, modules: Mapping[str, str]) -> str:
    """Bring an XPath back into the inner form; `modules` gives the module of each prefix that is known.

    A prefix without a known module stays as it is. Predicates lose the prefix of the list they stand on.
    """
    current = ""  # the module of the step we are in

    def shorten(token: re.Match[str]) -> str:
        nonlocal current
        if token["quoted"] or not token["prefix"]:
            return token[0]
        module = modules.get(token["prefix"], token["prefix"])
        same, lead = module == current, token["lead"]
        if "[" not in lead:
            current = module
        return f"{lead}{token['name']}" if same else f"{lead}{module}:{token['name']}"

    return _TOKEN.sub(shorten, xpath)
