"""Clients from PyPI, each through a whole session: discover, lock, edit, commit, be notified, unlock.

What they send is theirs: prefixes, chunks, attributes in odd namespaces. Only `netconf` gets help: its client has
no notifications, so the test takes them in where the client leaves messages to its subclasses.
"""

from __future__ import annotations

import queue
import warnings
from typing import Any

import paramiko
from lxml import etree
from ncclient import manager
from netconf.client import NetconfSSHSession
from netconf_client.connect import connect_ssh
from netconf_client.ncclient import Manager
from tests.conformance.conftest import Server

from netconf import NSMAP

NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
ETSI = "urn:etsi:qkd:yang:etsi-qkd-node"
EVENT = "{urn:ietf:params:xml:ns:yang:ietf-netconf-notifications}netconf-config-change"
SUBSCRIBE = '<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"/>'
GET_SCHEMA = (
    '<get-schema xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring">'
    "<identifier>etsi-qkd-sdn-node</identifier></get-schema>"
)
FILTER = f'<qkd_node xmlns="{ETSI}"/>'
WAIT_S = 10.0


def config(app_id: str, operation: str = "merge") -> str:
    return (
        f'<nc:config xmlns:nc="{NC}"><qkd_node xmlns="{ETSI}"><qkd_applications>'
        f'<qkd_app nc:operation="{operation}"><app_id>{app_id}</app_id></qkd_app>'
        "</qkd_applications></qkd_node></nc:config>"
    )


def apps(data: Any) -> list[str]:
    return [str(one.text) for one in data.iter(f"{{{ETSI}}}app_id")]


def operations(event: Any) -> list[str]:
    assert event.find(EVENT) is not None, etree.tostring(event)
    return [str(one.text) for one in event.find(EVENT).iterfind("{*}edit/{*}operation")]


def test_ncclient(agent: Server) -> None:
    login, app = agent.login, "5d0c0000-0000-4000-8000-00000000a001"
    assert login.host_key is not None
    with (
        warnings.catch_warnings(action="ignore"),
        manager.connect_ssh(
            login.host, port=login.port, username=login.user, key_filename=str(login.key_file), timeout=WAIT_S,
            hostkey_b64=login.host_key.split()[1], look_for_keys=False, allow_agent=False,
        ) as client,
    ):  # fmt: skip
        assert ":candidate" in client.server_capabilities
        assert "module etsi-qkd-sdn-node" in client.get_schema("etsi-qkd-sdn-node").data
        assert client.get(("subtree", FILTER)).data_ele.find(f"{{{ETSI}}}qkd_node/{{*}}qkdn_id").text
        client.create_subscription()
        with client.locked("candidate"):
            client.edit_config(
                config(app), target="candidate", default_operation="merge", error_option="rollback-on-error"
            )
            client.validate("candidate")
            client.commit()
            event = client.take_notification(timeout=WAIT_S)
            assert operations(event.notification_ele) == ["create"]
        assert app in apps(client.get_config("running", ("xpath", "//*[local-name() = 'qkd_app']")).data_ele)
        client.edit_config(config(app, "delete"), target="running")
        assert app not in apps(client.get_config("running").data_ele)


def test_netconf_client(agent: Server) -> None:
    login, app = agent.login, "5d0c0000-0000-4000-8000-00000000a002"
    assert login.host_key is not None
    session = connect_ssh(
        login.host, login.port, login.user, key_filename=str(login.key_file), initial_timeout=WAIT_S,
        hostkey_b64=login.host_key.split()[1],
    )  # fmt: skip
    with Manager(session, timeout=WAIT_S) as client:
        assert "urn:ietf:params:netconf:capability:candidate:1.0" in session.server_capabilities
        assert b"module etsi-qkd-sdn-node" in client.dispatch(GET_SCHEMA).xml
        assert client.get(("subtree", FILTER)).data_ele.find(f"{{{ETSI}}}qkd_node/{{*}}qkdn_id").text
        client.create_subscription(stream="NETCONF")
        client.lock("candidate")
        client.edit_config(config(app), target="candidate", error_option="rollback-on-error")
        client.validate("candidate")
        client.commit()
        event = client.take_notification(timeout=WAIT_S)
        assert operations(event.notification_ele) == ["create"]
        client.unlock("candidate")
        assert app in apps(client.get_config("running", filter=("subtree", FILTER)).data_ele)
        client.edit_config(config(app, "delete"), target="running")
        assert app not in apps(client.get_data("ds:running").data_ele)
        client.close_session()


class NotifiedSession(NetconfSSHSession):
    """`netconf`'s client, with a queue for what it takes for an error."""

    def __init__(self, *arguments: Any) -> None:
        self.events: queue.Queue[Any] = queue.Queue()
        super().__init__(*arguments)

    def _reader_handle_message(self, msg: str) -> None:
        root = etree.fromstring(msg.encode())
        if etree.QName(root).localname == "notification":
            self.events.put(root)
        else:
            super()._reader_handle_message(msg)


def test_netconf(agent: Server) -> None:
    login, app = agent.login, "5d0c0000-0000-4000-8000-00000000a003"
    with NotifiedSession(login.host, login.port, login.user, paramiko.PKey.from_path(login.key_file)) as client:
        assert "urn:ietf:params:netconf:capability:candidate:1.0" in client.capabilities
        assert "module etsi-qkd-sdn-node" in client.send_rpc(GET_SCHEMA, WAIT_S)[2]
        assert client.get(FILTER, WAIT_S).find(f"{{{ETSI}}}qkd_node/{{*}}qkdn_id").text
        client.send_rpc(SUBSCRIBE, WAIT_S)
        client.lock("candidate", WAIT_S)
        client.edit_config("candidate", "merge", config(app), erroropt="rollback-on-error", timeout=WAIT_S)
        assert client.send_rpc("<nc:commit/>", WAIT_S)[1].find("nc:ok", NSMAP) is not None
        assert operations(client.events.get(timeout=WAIT_S)) == ["create"]
        client.unlock("candidate", WAIT_S)
        assert app in apps(client.get_config(select=FILTER, timeout=WAIT_S))
        assert app in apps(client.get_config(select="//*[local-name() = 'app_id']", timeout=WAIT_S))
        client.edit_config("running", newconf=config(app, "delete"), timeout=WAIT_S)
        assert app not in apps(client.get_config(timeout=WAIT_S))
