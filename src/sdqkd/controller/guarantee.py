"""How safely a device can be changed together with others, from what its hello offers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sdqkd.netconf.hello import Hello

Guarantee = Literal["confirmed", "session", "candidate", "running"]

_CAPABILITY = "urn:ietf:params:netconf:capability"
CANDIDATE = f"{_CAPABILITY}:candidate:1.0"
WRITABLE_RUNNING = f"{_CAPABILITY}:writable-running:1.0"
STARTUP = f"{_CAPABILITY}:startup:1.0"
ROLLBACK_ON_ERROR = f"{_CAPABILITY}:rollback-on-error:1.0"
VALIDATE = (f"{_CAPABILITY}:validate:1.1", f"{_CAPABILITY}:validate:1.0")
CONFIRMED_1_1 = f"{_CAPABILITY}:confirmed-commit:1.1"
CONFIRMED_1_0 = f"{_CAPABILITY}:confirmed-commit:1.0"

# In a person's words. What holds for all that do not have the first.
TEXTS: Mapping[Guarantee, str] = {
    "confirmed": "undoes the change by itself unless it is confirmed, from whichever session",
    "session": "undoes the change by itself unless it is confirmed; also if our session is lost, even after the"
    " decision: then it is written again",
    "candidate": "takes the change at once, as it has no confirmed commit: only the controller can write it back",
    "running": "takes the change at once, part by part, as it has no candidate: only the controller can write it"
    " back",
}


def guarantee_of(hello: Hello) -> Guarantee | None:
    """The best that a device offers; None if it cannot be changed at all."""
    if not hello.offers(CANDIDATE):
        return "running" if hello.offers(WRITABLE_RUNNING) else None
    if hello.offers(CONFIRMED_1_1):
        return "confirmed"
    return "session" if hello.offers(CONFIRMED_1_0) else "candidate"


def undoes_itself(guarantee: Guarantee) -> bool:
    """Whether a commit can be provisional."""
    return guarantee in ("confirmed", "session")
