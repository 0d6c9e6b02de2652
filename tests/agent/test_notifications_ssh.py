"""Subscriptions over real SSH with a client that was not written here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lxml import etree
from ncclient.operations import RPCError
from tests.agent.ssh_client import PLACE, log_in, place_in
from tests.datastore.small_node import SmallNode

from sdqkd.agent.server import ServedAgent, serve_agent
from sdqkd.agent.store import FileStore
from sdqkd.transport.keys import make_key_pair

EVENTS = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
ESTABLISH = """
<establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
                        xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push">
  <yp:datastore xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">ds:running</yp:datastore>
  <yp:datastore-subtree-filter>
    <qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node"><qkdn_location_id/></qkd_node>
  </yp:datastore-subtree-filter>
  <yp:on-change/>
</establish-subscription>"""


@pytest.fixture
async def served(node: SmallNode, store: FileStore, tmp_path: Path) -> AsyncIterator[ServedAgent]:
    users = {"noc": [make_key_pair(tmp_path / "client")]}
    served = await serve_agent(node, store, "127.0.0.1", 0, host_key_file=tmp_path / "host_key", users=users)
    yield served
    await served.close()


def heard(session: object) -> etree._Element:
    """The next event, which must come soon."""
    notification = session.take_notification(timeout=10)  # type: ignore[attr-defined]
    assert notification is not None
    _, content = etree.fromstring(notification.notification_xml.encode())
    return content


async def test_a_client_hears_of_a_change_while_it_goes_on_asking(served: ServedAgent, tmp_path: Path) -> None:
    await asyncio.to_thread(_listen, served, tmp_path / "client")


def _listen(served: ServedAgent, key_file: Path) -> None:
    login = (served.port, served.host_key_public, key_file)
    with log_in(*login) as listener:
        assert ":notification" in listener.server_capabilities
        assert ":interleave" in listener.server_capabilities
        listener.create_subscription(filter=("subtree", f'<netconf-config-change xmlns="{EVENTS}"/>'))
        with pytest.raises(RPCError, match="has a subscription already"):
            listener.create_subscription()
        with log_in(*login) as other:
            other.edit_config(PLACE.format("rack 2"), target="running")
            event = heard(listener)
            assert event.findtext(".//{*}session-id") == other.session_id
            assert event.findtext(".//{*}username") == "noc"
        assert place_in(listener, "running") == "rack 2"


async def test_a_client_is_told_what_was_and_then_what_is(served: ServedAgent, tmp_path: Path) -> None:
    await asyncio.to_thread(_replay, served, tmp_path / "client")


def _replay(served: ServedAgent, key_file: Path) -> None:
    login = (served.port, served.host_key_public, key_file)
    with log_in(*login) as session:
        session.edit_config(PLACE.format("rack 2"), target="running")
        session.create_subscription(start_time="2000-01-01T00:00:00Z")
        names = [etree.QName(heard(session)).localname for _ in range(3)]
        assert names == ["netconf-session-start", "netconf-config-change", "replayComplete"]
        session.edit_config(PLACE.format("rack 3"), target="running")
        assert heard(session).tag == f"{{{EVENTS}}}netconf-config-change"


async def test_a_client_is_pushed_what_changes(served: ServedAgent, tmp_path: Path) -> None:
    await asyncio.to_thread(_push, served, tmp_path / "client")


def _push(served: ServedAgent, key_file: Path) -> None:
    with log_in(served.port, served.host_key_public, key_file) as session:
        session.dispatch(etree.fromstring(ESTABLISH))
        assert heard(session).findtext(".//{*}qkdn_location_id") == "rack 1"
        session.edit_config(PLACE.format("rack 2"), target="running")
        change = heard(session)
        assert etree.QName(change).localname == "push-change-update"
        assert change.findtext(".//{*}qkdn_location_id") == "rack 2"
