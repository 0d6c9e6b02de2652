"""The error tree of the program.

    SdqkdError                     anything a person may meet: what is wrong, where, what to do
    ├── InputError                 a file that a person wrote: file, line, path
    │   └── InputErrors            several of them in one file
    ├── ModelError                 a YANG model or compiled schema that cannot be loaded
    ├── RpcError                   a NETCONF <rpc-error>, sent or received (RFC 6241 section 4.3)
    │   └── RpcErrors              several of them in one reply
    ├── ProtocolError              the peer broke framing, hello or message order: the session ends
    │   └── FramingError           RFC 6242 section 4
    ├── TransportError             no session with a device
    │   ├── UnreachableError       nothing listens, no route, or no answer in time
    │   ├── HostKeyError           the device shows another key than expected, or none is known
    │   ├── LoginRefusedError      the device refuses our user or key
    │   └── SessionLostError       the session ended while we waited
    ├── DeviceError                a device that answers, but is not what it should be
    │   └── LockHeldError          it keeps a lock for somebody else
    ├── StoreError                 a configuration that cannot be kept or read back
    ├── JournalError               the controller's journal cannot be kept, is damaged, or another network's
    │   └── LeaseError             somebody else works with this journal, or has taken it over from us
    ├── NotAllowedError            the policy of the network does not let this person do that, or not now
    └── ApplyError                 a change that did not happen, per device
        ├── RolledBackError        it was begun on the devices, and every device is as it was
        ├── InDoubtError           it is not known of every device what it holds, or one holds something else
        └── InterruptedApplyError  because somebody stopped it

Room for room errors are raised, the `cli` prints them: one message, exit code 1, no traceback.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ErrorType = Literal["transport", "rpc", "protocol", "application"]
Severity = Literal["error", "warning"]

SHOWN_NAMES = 8  # of devices, in one message
SHOWN_FAULTS = 20  # of one file, to a person
KEPT_FAULTS = 100  # of one file, for programs
OFTEN = 3  # what more devices than these say alike is told once


def some_of(names: Sequence[str]) -> str:
    """The first names, and how many more there are.

    >>> some_of(["a", "b"]), some_of("abcdefghijk")
    ('a, b', 'a, b, c, d, e, f, g, h and 3 more')
    """
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


class SdqkdError(Exception):
    """Something that a person may meet. `str()` of it is the whole message."""


@dataclass(eq=False)
class InputError(SdqkdError):
    """A file that a person wrote is wrong. `line` counts from 1; `path` is an instance path."""

    message: str
    file: str | None = None
    line: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} (at {self.path})" if self.path else text


class InputErrors(InputError):
    """Several faults of one file, in the order of its lines, never none; place and path are those of the first.

    `errors` are the first KEPT_FAULTS of them, `count` says how many there are. The text tells fewer: the first
    faults of a file are those to mend first.
    """

    def __init__(self, errors: Sequence[InputError]) -> None:
        first = errors[0]
        super().__init__(first.message, first.file, first.line, first.path)
        self.errors = tuple(errors[:KEPT_FAULTS])
        self.count = len(errors)

    def __str__(self) -> str:
        lines = [str(error) for error in self.errors[:SHOWN_FAULTS]]
        more = self.count - len(lines)
        return "\n".join([*lines, f"and {more} more"] if more else lines)


class ModelError(SdqkdError):
    """A YANG module or a compiled schema table cannot be loaded."""


@dataclass(eq=False)
class RpcError(SdqkdError):
    """One <rpc-error>, RFC 6241 section 4.3 and appendix A.

    `path` is an instance path with module names as prefixes, as RFC 7951 and libyang write it:
    `/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link[qkdl_id='…']/phys_wavelength`.
    `info` holds the leaves of <error-info> by name, such as `bad-element` or `session-id`; `structure` is XML
    that goes there as it is, with its namespace declared: a structure that a model gives for it (RFC 8640).
    `non_unique` are the paths of leafs that have the same values as others (RFC 7950 section 15.1).
    """

    tag: str
    message: str
    type: ErrorType = "application"
    path: str | None = None
    app_tag: str | None = None
    info: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = "error"
    structure: str = ""
    non_unique: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.message} [{self.tag}]" + (f" (at {self.path})" if self.path else "")


class RpcErrors(SdqkdError):
    """Several rpc-errors that belong to one reply, in document order. Never empty."""

    def __init__(self, errors: Sequence[RpcError]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = tuple(errors)


def forget_frames(error: BaseException | None) -> None:
    """Let an error that was dealt with, and those that led to it, forget where they were raised.

    Frames hold what was worked on, such as a whole message, and their variables often the error: all of that
    would stay until the garbage collector comes, which in a large process is seldom.
    """
    while error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        for part in error.errors if isinstance(error, RpcErrors) else ():
            forget_frames(part)
        forget_frames(error.__cause__)
        error = error.__context__


class ProtocolError(SdqkdError):
    """The peer broke the protocol in a way after which the session cannot go on."""


class FramingError(ProtocolError):
    """A chunk or end-of-message mark that RFC 6242 section 4 does not allow, or a message over the limit."""


@dataclass(eq=False)
class TransportError(SdqkdError):
    """There is no session with a device. `peer` is `host:port` or a device's name."""

    peer: str
    message: str

    def __str__(self) -> str:
        return f"{self.peer}: {self.message}"


class UnreachableError(TransportError):
    """Nothing listens there, there is no route, or no answer came in time."""


class HostKeyError(TransportError):
    """The device shows another host key than the expected one, or none is known for it."""


class LoginRefusedError(TransportError):
    """The device refuses our user name or key, or the netconf subsystem."""


class SessionLostError(TransportError):
    """The session ended, or its peer broke the protocol, while an answer was awaited."""


@dataclass(eq=False)
class DeviceError(SdqkdError):
    """A device cannot do what is needed, reports what its model does not have, or is another than expected."""

    peer: str
    message: str

    def __str__(self) -> str:
        return f"{self.peer}: {self.message}"


@dataclass(eq=False)
class LockHeldError(DeviceError):
    """A device keeps a lock for somebody else: `holder` is the session-id, 0 if it is no NETCONF session."""

    holder: int = 0


class StoreError(SdqkdError):
    """A configuration cannot be kept on disk or read back."""


class JournalError(SdqkdError):
    """The controller's journal cannot be kept, is damaged, or belongs to another network."""


class LeaseError(JournalError):
    """Somebody else works with this journal, or has taken it over: nothing may be written any more."""


class NotAllowedError(SdqkdError):
    """The policy of the network does not let this person do that, or not now; `str()` says who may, or when."""


@dataclass(eq=False)
class ApplyError(SdqkdError):
    """A change that did not happen. `failures` gives each device's reason; `left` what each device holds now.

    `findings` are what the network did not bear, as JSON objects. The text tells once what many devices say alike.
    """

    message: str
    failures: Mapping[str, SdqkdError] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    findings: Sequence[Mapping[str, Any]] = ()

    def __str__(self) -> str:
        failures = {device: (_reason(error), str(error)) for device, error in self.failures.items()}
        left = {device: (state, state) for device, state in self.left.items()}
        lines = [f"  {who}: {why}" for who, why in _told_once(failures)]
        lines += [f"  now in {who}: {what}" for who, what in _told_once(left)]
        return "\n".join((self.message, *lines))


class RolledBackError(ApplyError):
    """A change that was begun on the devices and taken back: every device was read back, and is as it was."""


class InDoubtError(ApplyError):
    """A change that is neither done nor taken back for certain; `left` says what each such device holds."""


class InterruptedApplyError(ApplyError):
    """A change that somebody interrupted; the devices were put back, those in `left` excepted."""


def _reason(error: SdqkdError) -> str:
    """What is wrong, without the place where each device has another one."""
    return error.message if isinstance(error, TransportError | DeviceError) else str(error)


def _told_once(said: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Who says what: each device its whole text, or all devices together the reason that many of them give."""
    alike: dict[str, list[str]] = {}
    for device, (reason, _) in said.items():
        alike.setdefault(reason, []).append(device)
    for reason, devices in alike.items():
        if len(devices) > OFTEN:
            yield f"{len(devices)} devices ({some_of(devices)})", reason
        else:
            yield from ((device, said[device][1]) for device in devices)
