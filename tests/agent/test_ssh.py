"""A whole session over real SSH with a client that was not written here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ncclient.operations import RPCError
from ncclient.transport.errors import AuthenticationError
from tests.agent.ssh_client import PLACE, log_in, place_in
from tests.datastore.small_node import SmallNode

from sdqkd.agent.server import ServedAgent, serve_agent
from sdqkd.agent.store import FileStore
from sdqkd.errors import InputError, TransportError
from sdqkd.transport.keys import make_key_pair


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "client"


@pytest.fixture
async def served(node: SmallNode, store: FileStore, tmp_path: Path, key_file: Path) -> AsyncIterator[ServedAgent]:
    users = {"noc": [make_key_pair(key_file)]}
    served = await serve_agent(node, store, "127.0.0.1", 0, host_key_file=tmp_path / "host_key", users=users)
    yield served
    await served.close()


async def test_a_whole_session(served: ServedAgent, key_file: Path) -> None:
    await asyncio.to_thread(_whole_session, served, key_file)
    assert len(served.agent.sessions) == 0


def _whole_session(served: ServedAgent, key_file: Path) -> None:
    with log_in(served.port, served.host_key_public, key_file) as session:
        assert ":candidate" in session.server_capabilities
        assert "module etsi-qkd-sdn-node {" in session.get_schema("etsi-qkd-sdn-node").data
        with session.locked("running"), session.locked("candidate"):
            session.edit_config(PLACE.format("rack 2"), target="candidate", test_option="test-then-set")
            session.validate("candidate")
            assert place_in(session, "running") == "rack 1"
            session.commit()
            assert place_in(session, "running") == "rack 2"
            session.edit_config(PLACE.format("rack 3"), target="candidate")
            session.discard_changes()
        session.edit_config(PLACE.format("rack 4"), target="running")
        assert place_in(session, "candidate") == "rack 4"
        _refusals(session)


def _refusals(session: object) -> None:
    for wrong, tag, path in [
        ("<qkdn_id>nobody</qkdn_id>", "invalid-value", "qkdn_id"),
        ("<qkdn_nam>x</qkdn_nam>", "unknown-element", "qkd_node"),
    ]:
        config = PLACE.format("rack 5").replace("</qkd_node>", f"{wrong}</qkd_node>")
        with pytest.raises(RPCError) as refused:
            session.edit_config(config, target="running")  # type: ignore[attr-defined]
        assert refused.value.tag == tag
        assert refused.value.path.endswith(path)
    assert place_in(session, "running") == "rack 4"


async def test_a_session_is_killed_by_another(served: ServedAgent, key_file: Path) -> None:
    await asyncio.to_thread(_kill, served, key_file)


def _kill(served: ServedAgent, key_file: Path) -> None:
    login = (served.port, served.host_key_public, key_file)
    with log_in(*login) as session:
        victim = log_in(*login)
        victim.lock("running")
        with pytest.raises(RPCError) as refused:
            session.lock("running")
        assert refused.value.tag == "lock-denied"
        assert victim.session_id in refused.value.info
        session.kill_session(victim.session_id)
        session.lock("running")
        with pytest.raises(Exception, match=r"(?i)closed|not connected|session"):
            victim.get_config("running")


async def test_who_has_another_key_does_not_come_in(served: ServedAgent, tmp_path: Path) -> None:
    make_key_pair(tmp_path / "stranger")
    with pytest.raises(AuthenticationError):
        await asyncio.to_thread(log_in, served.port, served.host_key_public, tmp_path / "stranger")
    assert len(served.agent.sessions) == 0


async def test_the_host_key_stays_the_same(
    node: SmallNode, store: FileStore, served: ServedAgent, tmp_path: Path
) -> None:
    await served.close()
    again = await serve_agent(node, store, "127.0.0.1", 0, host_key_file=tmp_path / "host_key", users={})
    assert again.host_key_public == served.host_key_public
    await again.close()


async def test_what_keeps_it_from_listening_is_said(
    node: SmallNode, store: FileStore, served: ServedAgent, tmp_path: Path
) -> None:
    with pytest.raises(TransportError, match="another program listens there"):
        await serve_agent(node, store, "127.0.0.1", served.port, host_key_file=tmp_path / "host_key", users={})
    (tmp_path / "no_key").write_text("no key")
    (tmp_path / "no_key").chmod(0o600)
    with pytest.raises(InputError, match="no_key"):
        await serve_agent(node, store, "127.0.0.1", 0, host_key_file=tmp_path / "no_key", users={})
