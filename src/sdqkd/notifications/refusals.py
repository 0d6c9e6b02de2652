"""Why a request about a subscription is refused: RFC 8639 section 2.4.6, RFC 8641 appendix A.

Over NETCONF an identity becomes the error-app-tag, and decides the error-tag: RFC 8640 section 7.
"""

from __future__ import annotations

from collections.abc import Mapping

from sdqkd.errors import RpcError
from sdqkd.schema.xml import escape

SN = "ietf-subscribed-notifications"
YP = "ietf-yang-push"
SN_NAMESPACE = f"urn:ietf:params:xml:ns:yang:{SN}"
YP_NAMESPACE = f"urn:ietf:params:xml:ns:yang:{YP}"

_TAGS = {
    f"{SN}:dscp-unavailable": "invalid-value",
    f"{SN}:encoding-unsupported": "invalid-value",
    f"{SN}:filter-unsupported": "invalid-value",
    f"{SN}:insufficient-resources": "resource-denied",
    f"{SN}:no-such-subscription": "invalid-value",
    f"{SN}:replay-unsupported": "operation-not-supported",
    f"{YP}:cant-exclude": "operation-not-supported",
    f"{YP}:datastore-not-subscribable": "invalid-value",
    f"{YP}:no-such-subscription-resync": "invalid-value",
    f"{YP}:on-change-sync-unsupported": "operation-not-supported",
    f"{YP}:on-change-unsupported": "operation-not-supported",
    f"{YP}:period-unsupported": "invalid-value",
    f"{YP}:sync-too-big": "too-big",
    f"{YP}:unchanging-selection": "operation-failed",
    f"{YP}:update-too-big": "too-big",
}
# The structures for <error-info>, by operation; (of streams, of datastores).
_STRUCTURES = {
    "establish-subscription": (
        "establish-subscription-stream-error-info",
        "establish-subscription-datastore-error-info",
    ),
    "modify-subscription": ("modify-subscription-stream-error-info", "modify-subscription-datastore-error-info"),
}


def refusal(identity: str, message: str) -> RpcError:
    """The error for an identity, given as `module:name`."""
    return RpcError(_TAGS[identity], message, app_tag=identity)


def hinted(operation: str, identity: str, message: str, hints: Mapping[str, str], *, data: bool) -> RpcError:
    """The error with hints about what would be accepted; `data` if it is about a datastore, not a stream."""
    error = refusal(identity, message)
    name = _STRUCTURES[operation][data]
    namespace = YP_NAMESPACE if data else SN_NAMESPACE
    module, _, local = identity.partition(":")
    prefix = {SN: "sn", YP: "yp"}[module]
    declared = f' xmlns:sn="{SN_NAMESPACE}"' if module == SN else f' xmlns:yp="{YP_NAMESPACE}"'
    leafs = "".join(f"<{leaf}>{escape(value)}</{leaf}>" for leaf, value in hints.items())
    error.structure = f'<{name} xmlns="{namespace}"><reason{declared}>{prefix}:{local}</reason>{leafs}</{name}>'
    return error


def no_such_subscription(subscription: int) -> RpcError:
    """The error for an id that is not the client's."""
    return refusal(f"{SN}:no-such-subscription", f"there is no subscription {subscription} of this session")
