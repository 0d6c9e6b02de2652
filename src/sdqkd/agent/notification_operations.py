"""The operations about subscriptions, which the hub does: RFC 5277, RFC 8639, RFC 8641."""

from __future__ import annotations

from collections.abc import Mapping

from sdqkd.agent.call import Call, Operation
from sdqkd.notifications.message import NAMESPACE
from sdqkd.notifications.refusals import SN_NAMESPACE, YP_NAMESPACE


def _perform(call: Call) -> bytes:
    return call.service.notifier.perform(call.session, call.parameters.operation)


_OWN = Operation(_perform, None, changes=False)

OPERATIONS: Mapping[str, Operation] = {
    f"{{{NAMESPACE}}}create-subscription": _OWN,
    f"{{{SN_NAMESPACE}}}establish-subscription": _OWN,
    f"{{{SN_NAMESPACE}}}modify-subscription": _OWN,
    f"{{{SN_NAMESPACE}}}delete-subscription": _OWN,
    f"{{{SN_NAMESPACE}}}kill-subscription": Operation(_perform, None),
    f"{{{YP_NAMESPACE}}}resync-subscription": _OWN,
}
