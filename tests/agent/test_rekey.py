"""`rekey` of an encryptor's connection over real SSH, asked for by a client that was not written here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ncclient import manager
from ncclient.operations import RPCError
from ncclient.xml_ import to_ele
from tests.agent.ssh_client import log_in
from tests.plant.conftest import DATA, Lab, read

from sdqkd.agent.server import ServedAgent, serve_agent
from sdqkd.agent.store import FileStore
from sdqkd.controller.intent import desired
from sdqkd.notifications.times import read_time
from sdqkd.schema.xml import encode
from sdqkd.transport.keys import make_key_pair

NAME = "alfa-l1"
ENC = "urn:sdqkd:yang:sdqkd-encryptor"
REKEY = (
    f'<action xmlns="urn:ietf:params:xml:ns:yang:1"><encryptor xmlns="{ENC}">'
    "<connection><name>{}</name><rekey/></connection></encryptor></action>"
)
STATE = ("subtree", f'<encryptor xmlns="{ENC}"><connection><state/></connection></encryptor>')


@dataclass
class Served:
    """An encryptor of the triangle behind an agent; the other devices are there and configured."""

    lab: Lab
    agent: ServedAgent
    keys: Path

    @contextmanager
    def session(self, username: str = "noc") -> Iterator[manager.Manager]:
        with log_in(self.agent.port, self.agent.host_key_public, self.keys / username, username) as session:
            yield session


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    lab = Lab(read(DATA / "network.yaml"))
    lab.configure(name for name in lab.plant.devices if name != NAME)
    device = lab.plant.devices[NAME]
    store = FileStore(tmp_path / "running.json", device.schema)
    users = {name: [make_key_pair(tmp_path / name)] for name in ("noc", "eva")}
    agent = await serve_agent(
        device, store, "127.0.0.1", 0, host_key_file=tmp_path / "host", users=users, roles={"eva": "viewer"}
    )
    served = Served(lab, agent, tmp_path)
    await asyncio.to_thread(_configure, served)
    yield served
    await agent.close()
    store.close()


def _configure(served: Served) -> None:
    wanted = encode(served.lab.plant.devices[NAME].schema, desired(served.lab.network)[NAME].tree).decode()
    with served.session() as session:
        session.edit_config(
            f'<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{wanted}</config>', target="running"
        )


async def test_a_new_key_is_taken_at_once(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sdqkd.audit")
    await asyncio.to_thread(_rekey, served)
    where = "invoked=/sdqkd-encryptor:encryptor/connection[name='one-hop']/rekey"
    assert any("user=noc" in line and where in line for line in caplog.messages)


def _rekey(served: Served) -> None:
    with served.session() as session:
        served.lab.now_s += 7
        before = _state(session)
        assert before["key-age"] == "7"
        reply = to_ele(session.dispatch(to_ele(REKEY.format("one-hop"))).xml)
        output = {element.tag: element.text for element in reply}
        assert set(output) == {f"{{{ENC}}}time", f"{{{ENC}}}key-id"}
        assert abs(datetime.now(UTC) - read_time(output[f"{{{ENC}}}time"])) < timedelta(minutes=1)
        after = _state(session)
        assert after["key-id"] == output[f"{{{ENC}}}key-id"] != before["key-id"]
        assert (after["key-age"], int(after["rekey-count"])) == ("0", int(before["rekey-count"]) + 1)


async def test_refused_if_the_connection_is_down_or_unknown(served: Served) -> None:
    await asyncio.to_thread(_refusals, served)


def _refusals(served: Served) -> None:
    with served.session() as session:
        served.lab.plant.fail("bravo-l1", "otn-1")
        down = _refused(session, "one-hop")
        assert (down.tag, down.app_tag, down.type) == ("operation-failed", "no-peer", "application")
        assert down.path.endswith(":encryptor/sdqkd-encryptor:connection[sdqkd-encryptor:name='one-hop']")
        assert "takes no new key: it is down" in down.message
        served.lab.plant.repair("bravo-l1", "otn-1")
        served.lab.plant.cut("alfa-bravo")
        served.lab.plant.cut("alfa-charlie")
        empty = _refused(session, "one-hop")
        assert (empty.tag, empty.app_tag) == ("operation-failed", "no-key")
        assert "its key source delivers none" in empty.message
        assert _refused(session, "nowhere").tag == "data-missing"


async def test_who_may_only_look_may_not(served: Served) -> None:
    await asyncio.to_thread(_may_not, served)


def _may_not(served: Served) -> None:
    with served.session("eva") as session:
        before = _state(session)
        assert _refused(session, "one-hop").tag == "access-denied"
        assert _state(session) == before


def _refused(session: manager.Manager, name: str) -> RPCError:
    with pytest.raises(RPCError) as refused:
        session.dispatch(to_ele(REKEY.format(name)))
    return refused.value


def _state(session: manager.Manager) -> dict[str, str]:
    data = session.get(filter=STATE).data
    return {element.tag.rpartition("}")[2]: element.text for element in data.find(f".//{{{ENC}}}state")}
