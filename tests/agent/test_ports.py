"""An agent over TLS and as one that calls home: real sockets, and a client that was not written here."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ncclient import manager
from tests.agent.ssh_client import PLACE, place_in
from tests.datastore.small_node import SmallNode
from tests.transport.certificates import Issued, issue

from sdqkd.agent.ports import Home, Tls
from sdqkd.agent.server import ServedAgent, serve_agent
from sdqkd.agent.store import FileStore
from sdqkd.controller.exchange import Exchange
from sdqkd.errors import InputError, LoginRefusedError, TransportError
from sdqkd.transport import ssh_call_home, tls_call_home, tls_client
from sdqkd.transport.admission import Limits as Admission
from sdqkd.transport.cert_names import CertToName, MapType
from sdqkd.transport.keys import make_key_pair
from sdqkd.transport.redial import Reconnect
from sdqkd.transport.ssh_client import connect as connect_ssh
from sdqkd.transport.tls_client import Trust

PATIENCE_S = 20.0
SOON = Reconnect(first_pause_s=0.02, longest_pause_s=0.05)


@dataclass(frozen=True)
class Company:
    """A root, a device and two clients: `noc` is a user, `eve` is none."""

    root: Issued
    device: Issued
    noc: Issued
    eve: Issued

    def tls(self, port: int | None = 0, *names: CertToName) -> Tls:
        """Without `names` the root's word is taken for the common name."""
        names = names or (CertToName(self.root.fingerprint, MapType.COMMON_NAME),)
        return Tls(self.device.identity, self.root.file, names, port)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("agents-company")
    root = issue(folder, "root", authority=True)
    others = (issue(folder, name, root, alternatives=("127.0.0.1",)) for name in ("device", "noc", "eve"))
    return Company(root, *others)


Serve = Callable[..., AbstractAsyncContextManager[ServedAgent]]


@pytest.fixture
def serve(node: SmallNode, store: FileStore, tmp_path: Path) -> Serve:
    users = {"noc": [make_key_pair(tmp_path / "client")]}

    @asynccontextmanager
    async def serve(**options: Any) -> Any:
        served = await serve_agent(
            node, store, "127.0.0.1", 0, host_key_file=tmp_path / "host_key", users=users, **options
        )
        try:
            yield served
        finally:
            await served.close()

    return serve


def over_tls(port: int, company: Company) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with manager.connect_tls(
            host="127.0.0.1", port=port, keyfile=str(company.noc.identity.key_file), timeout=20,
            certfile=str(company.noc.file), ca_certs=str(company.root.file), protocol=ssl.PROTOCOL_TLS_CLIENT,
        ) as session:  # fmt: skip
            with session.locked("candidate"):
                session.edit_config(PLACE.format("rack 9"), target="candidate")
                session.commit()
            return {"place": place_in(session, "running"), "state": session.get().data_xml}


async def dial(served: ServedAgent, client: Issued, company: Company) -> Exchange:
    exchange = Exchange("the device", {})
    assert served.tls_port is not None
    await tls_client.connect(
        "127.0.0.1", served.tls_port, identity=client.identity, trust=Trust(issuers=company.root.file),
        receiver=exchange,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        await exchange.hello
    return exchange


async def test_a_whole_session_over_tls(serve: Serve, company: Company) -> None:
    async with serve(tls=company.tls()) as served:
        seen = await asyncio.to_thread(over_tls, served.tls_port, company)
    assert seen["place"] == "rack 9"
    assert "netconf-tls" in seen["state"]
    assert "<username>noc</username>" in seen["state"].replace("ncm:", "")


async def test_who_is_certified_and_no_user_stays_out(serve: Serve, company: Company) -> None:
    async with serve(tls=company.tls()) as served:
        with pytest.raises(LoginRefusedError):
            await dial(served, company.eve, company)
        assert (await dial(served, company.noc, company)).lost is None
        assert len(served.agent.sessions) == 1


async def test_a_user_who_has_no_key_of_ssh(serve: Serve, company: Company) -> None:
    night = CertToName(company.eve.fingerprint, MapType.SPECIFIED, "night")
    async with serve(tls=company.tls(0, night)) as served:
        exchange = await dial(served, company.eve, company)
        (session,) = served.agent.sessions
        assert session.username == "night"
        assert (await exchange.call(b"<lock><target><running/></target></lock>")).ok
        with pytest.raises(LoginRefusedError):
            await dial(served, company.noc, company)


async def test_limits_count_over_all_ports(serve: Serve, company: Company, tmp_path: Path) -> None:
    async with serve(tls=company.tls(), admission=Admission(max_sessions=1)) as served:
        held = await dial(served, company.noc, company)
        key, host_key = tmp_path / "client", served.host_key_public
        with pytest.raises(LoginRefusedError, match="as many as are served"):
            await connect_ssh(
                "127.0.0.1", served.port, username="noc", client_key_file=key, host_key=host_key,
                receiver=Exchange("x", {}),
            )  # fmt: skip
        assert held.lost is None


async def called(calls: asyncio.Queue[Exchange]) -> Exchange:
    async with asyncio.timeout(PATIENCE_S):
        exchange = await calls.get()
        await exchange.hello
    return exchange


async def test_an_agent_calls_two_clients(serve: Serve, company: Company, tmp_path: Path) -> None:
    calls: asyncio.Queue[Exchange] = asyncio.Queue()

    def answer(device: str) -> Exchange:
        exchange = Exchange(device, {})
        calls.put_nowait(exchange)
        return exchange

    identity, pinned = company.noc.identity, {"node": str(company.device.fingerprint)}
    by_tls = await tls_call_home.listen("127.0.0.1", 0, pinned, answer, identity=identity)
    host_key = make_key_pair(tmp_path / "host_key")
    by_ssh = await ssh_call_home.listen(
        "127.0.0.1", 0, {"node": host_key}, answer, username="noc", client_key_file=tmp_path / "client"
    )
    homes = [Home("tls", [("127.0.0.1", by_tls.port)], SOON), Home("ssh", [("127.0.0.1", by_ssh.port)], SOON)]
    async with serve(tls=company.tls(None), homes=homes) as served:
        assert served.tls_port is None
        first, second = await called(calls), await called(calls)
        assert {session.protocol for session in served.agent.sessions} == {"ssh", "tls"}
        assert {session.username for session in served.agent.sessions} == {"noc"}
        assert (await first.call(b"<lock><target><running/></target></lock>")).ok
        assert not (await second.call(b"<lock><target><running/></target></lock>")).ok
        assert (await first.call(b"<close-session/>")).ok
        again = await called(calls)  # it calls again, and the lock is free
        assert (await again.call(b"<lock><target><running/></target></lock>")).ok
    await by_tls.close()
    await by_ssh.close()


async def test_what_is_missing_is_told_before_anything_listens(
    serve: Serve, company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home("tls", [("::1", 4335), ("noc.example", 4335)])
    with pytest.raises(InputError, match=r"to call tls://\[::1\]:4335,noc\.example:4335 needs a certificate"):
        async with serve(homes=[home]):
            pass
    async with serve(tls=company.tls()) as served:
        taken = served.tls_port
        with pytest.raises(TransportError, match="another program listens there"):
            async with serve(tls=company.tls(taken), homes=[Home("ssh", [("127.0.0.1", 1)], SOON)]):
                pass
        assert "cannot call home" not in caplog.text
