"""Serves a small node from a folder until it is killed: `python -m tests.agent.serve_small_node FOLDER LIMITS`.

Prints one line of JSON when it listens. The folder holds the client's public key in `client.pub`; the limits are
a JSON object of what `agent.service.Limits` and `transport.admission.Limits` take. With `device.crt`, `device.key`
and `noc.crt` in the folder it is served over TLS as well, to the owner of the last.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from tests.datastore.small_node import SmallNode

from sdqkd.agent.journal import JournalStore
from sdqkd.agent.ports import Tls
from sdqkd.agent.server import serve_agent
from sdqkd.agent.service import Limits
from sdqkd.errors import SdqkdError
from sdqkd.transport.admission import Limits as Admission
from sdqkd.transport.cert_names import CertToName, MapType, fingerprint_of
from sdqkd.transport.tls_context import Identity, read_certificates


async def main(folder: Path, limits: dict[str, Any]) -> None:
    node = SmallNode()
    names = {field.name for field in dataclasses.fields(Admission)} & limits.keys()
    admission = {name: limits.pop(name) for name in names}
    served = await serve_agent(
        node,
        JournalStore(folder / "running.json", node.schema),
        "127.0.0.1",
        0,
        host_key_file=folder / "host_key",
        users={"noc": [(folder / "client.pub").read_text()]},
        limits=Limits(**limits),
        admission=Admission(**admission),
        tls=tls(folder),
    )
    said = {"port": served.port, "host-key": served.host_key_public, "tls-port": served.tls_port}
    print(json.dumps(said), flush=True)
    await asyncio.Event().wait()


def tls(folder: Path) -> Tls | None:
    trust = folder / "noc.crt"
    if not trust.exists():
        return None
    fingerprint = fingerprint_of(read_certificates(trust)[0].public_bytes(Encoding.DER))
    names = (CertToName(fingerprint, MapType.SPECIFIED, "noc"),)
    return Tls(Identity(folder / "device.crt", folder / "device.key"), trust, names, 0)


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
    except SdqkdError as error:
        sys.exit(f"error: {error}")
