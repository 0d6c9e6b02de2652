"""A session by ncclient: a client that was written elsewhere, for the cases that need no more than one."""

from __future__ import annotations

import warnings
from typing import Any

from lxml import etree
from ncclient import manager
from ncclient.operations import RaiseMode
from ncclient.operations.errors import TimeoutExpiredError
from ncclient.transport.errors import TransportError as ClientTransportError

from sdqkd.conformance.replies import Element, Reply, parse, reply_of
from sdqkd.conformance.session import Closed, Patience, Silence
from sdqkd.conformance.ssh import Login
from sdqkd.errors import LoginRefusedError


class PoliteSession:
    """Calls through ncclient's manager; its own hello, framing and parsing of replies."""

    def __init__(self, client: Any, patience: Patience) -> None:
        self._client = client
        self._patience = patience
        self.session_id: str = client.session_id
        self.capabilities: tuple[str, ...] = tuple(client.server_capabilities)

    def call(self, operation: str, attributes: str = "") -> Reply:
        """Send one operation and wait for its reply; ncclient chooses the attributes. Raises Silence or Closed."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = self._client.dispatch(etree.fromstring(_in_base(operation)))
        except TimeoutExpiredError as error:
            raise Silence("no answer that ncclient takes for one") from error
        except ClientTransportError as error:
            raise Closed(f"ncclient lost the session: {error}") from error
        return reply_of(parse(answer.xml.encode()))

    def next_notification(self, within_s: float) -> Element:
        """Wait for a notification. Raises Silence."""
        found = self._client.take_notification(timeout=within_s)
        if found is None:
            raise Silence(f"no notification in {within_s:g} s")
        return parse(found.notification_xml.encode())

    def closed(self, within_s: float) -> bool:
        """Whether the server has closed; ncclient's thread finds out."""
        self._client._session.join(within_s)
        return not self._client.connected

    def drop(self) -> None:
        """Leave; ncclient says close-session first where it can."""
        self._client._session.close()


def open_polite(login: Login, patience: Patience) -> PoliteSession:
    """Log in with ncclient. Raises LoginRefusedError."""
    key = {} if login.host_key is None else {"hostkey_b64": login.host_key.split()[1]}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client = manager.connect_ssh(
                host=login.host,
                port=login.port,
                username=login.user,
                key_filename=str(login.key_file),
                hostkey_verify=login.host_key is not None,
                look_for_keys=False,
                allow_agent=False,
                timeout=patience.login_s,
                **key,
            )
    except ClientTransportError as error:
        raise LoginRefusedError(login.peer, f"ncclient gets no session: {error}") from error
    client.raise_mode = RaiseMode.NONE
    client.timeout = patience.answer_s
    return PoliteSession(client, patience)


def _in_base(operation: str) -> str:
    """The operation as a document of its own: in a case it stands inside an rpc of the base namespace."""
    wrapped = etree.fromstring(f'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{operation}</rpc>')
    return etree.tostring(wrapped[0], encoding="unicode")
