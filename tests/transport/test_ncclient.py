"""A session with ncclient: a client that was not written here."""

import asyncio
import warnings
from typing import Any

from ncclient import manager
from ncclient.xml_ import to_ele


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
