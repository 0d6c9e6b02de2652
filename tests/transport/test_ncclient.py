"""Sessions with ncclient: a client that was not written here."""

import asyncio
import ssl
import warnings
from pathlib import Path
from typing import Any

from ncclient import manager
from ncclient.xml_ import to_ele
from tests.transport.certificates import issue

from sdqkd.transport.cert_names import CertToName, MapType
from sdqkd.transport.tls_server import listen as listen_tls


def full_session(port: int, key_file: str, host_key: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with manager.connect(
            host="127.0.0.1", port=port, username="noc", key_filename=key_file, hostkey_b64=host_key.split()[1],
            look_for_keys=False, allow_agent=False, timeout=20,
        ) as session:  # fmt: skip
            seen: dict[str, Any] = {
                "id": session.session_id,
                "capabilities": list(session.server_capabilities),
                "base": session._session._base,
                "data": session.get_config("running").data_xml,
                "ok": [session.lock("candidate").ok, session.commit().ok, session.unlock("candidate").ok],
                "large": session.dispatch(to_ele(f"<x xmlns='urn:x'>{'y' * 3_000_000}</x>")).ok,
            }
    return seen


async def test_a_whole_session(serve: Any, keys: Any, mini_agent: Any) -> None:
    made: list[Any] = []
    listener = await serve(lambda: made.append(mini_agent()) or made[-1])
    seen = await asyncio.to_thread(full_session, listener.port, str(keys.file("noc")), keys.host)
    assert seen["id"] == "1"
    assert "urn:ietf:params:netconf:base:1.1" in seen["capabilities"]
    assert seen["ok"] == [True] * 3
    assert seen["large"]
    assert "data" in seen["data"]
    assert await made[-1].lost() is None


def tls_session(port: int, folder: Path) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with manager.connect_tls(
            host="127.0.0.1", port=port, keyfile=str(folder / "noc.key"), certfile=str(folder / "noc.crt"),
            ca_certs=str(folder / "root.crt"), protocol=ssl.PROTOCOL_TLS_CLIENT, timeout=20,
        ) as session:  # fmt: skip
            return {
                "capabilities": len(list(session.server_capabilities)),
                "data": len(session.get_config("running").data_xml),
                "ok": [session.lock("candidate").ok, session.commit().ok],
            }


async def test_a_session_over_tls(mini_agent: Any, tmp_path: Path) -> None:
    """ncclient reads 4 KiB when select() tells it to; what is longer than that must not be stuck in OpenSSL."""
    root = issue(tmp_path, "root", authority=True)
    device = issue(tmp_path, "device", root, alternatives=("127.0.0.1",))
    issue(tmp_path, "noc", root)
    made: list[Any] = []
    listener = await listen_tls(
        "127.0.0.1", 0, device.identity, root.file, [CertToName(root.fingerprint, MapType.COMMON_NAME)],
        lambda: made.append(mini_agent(size=200_000)) or made[-1],
    )  # fmt: skip
    seen = await asyncio.to_thread(tls_session, listener.port, tmp_path)
    assert seen["capabilities"] > 2000
    assert seen["data"] > 200_000
    assert seen["ok"] == [True, True]
    assert made[0].link.username == "noc"
    await made[0].lost()
    await listener.close()
