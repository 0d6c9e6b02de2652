"""Serves one device for the kit until it is killed: `python -m tests.conformance.serve KIND FOLDER`.

KIND is `qkd-node`, a node of the example network; `deviating`, one whose modules are not as published;
`conformance`, a device with the kit's own modules; or `limited`, that with a startup datastore and tight limits.
The folder has the public keys of the users `noc` and `guest`. Port, keys and configurations survive a restart.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import yaml
from tests.agent.workshop import Workshop

from sdqkd.agent.server import serve_agent
from sdqkd.agent.service import Limits
from sdqkd.agent.store import FileStore
from sdqkd.controller.inventory import load_network, read_file
from sdqkd.devices.device import Device
from sdqkd.plant.plant import Plant
from sdqkd.transport import admission

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NETWORK = ROOT / "examples/madqci/network.yaml"
HELLO_TIMEOUT_S = 1.0
IDLE_TIMEOUT_S = 4.0  # of `limited`
MAX_SESSIONS = 8


def device_of(kind: str, folder: Path) -> Device:
    if kind in ("conformance", "limited"):
        return Workshop()
    network = load_network(read_file(NETWORK), str(NETWORK)).network
    device = next(device for name, device in Plant(network).devices.items() if name.endswith("-qkd"))
    if kind == "deviating":
        device.schema = replace(device.schema, model_dirs=(deviating(folder / "yang"), *device.schema.model_dirs))
    return device


def deviating(folder: Path) -> Path:
    """A folder with the modules of ETSI 015, changed as `data/deviating.yaml` has it for a live device."""
    (folder / "etsi").mkdir(parents=True, exist_ok=True)
    texts = {file.stem: file.read_text("utf-8") for file in (ROOT / "yang/etsi").glob("*.yang")}
    for change in yaml.safe_load((HERE / "data/deviating.yaml").read_text("utf-8")):
        if change.get("live"):
            texts[change["module"]] = re.sub(
                change["was"], change["becomes"], texts[change["module"]], flags=re.DOTALL
            )
    for name, text in texts.items():
        (folder / "etsi" / f"{name}.yang").write_text(text, "utf-8")
    return folder


async def main(kind: str, folder: Path) -> None:
    device, limited = device_of(kind, folder), kind == "limited"
    place = folder / "place.json"
    served = await serve_agent(
        device,
        FileStore(folder / "running.json", device.schema),
        "127.0.0.1",
        json.loads(place.read_text())["port"] if place.exists() else 0,
        host_key_file=folder / "host_key",
        users={name: [(folder / f"{name}.pub").read_text()] for name in ("noc", "guest")},
        roles={"guest": "viewer"},
        recovery_users=("noc",),
        limits=Limits(hello_timeout_s=HELLO_TIMEOUT_S, idle_timeout_s=IDLE_TIMEOUT_S if limited else None),
        admission=admission.Limits(max_sessions_per_user=MAX_SESSIONS) if limited else None,
        startup=limited,
    )
    new = place.with_suffix(".new")
    new.write_text(json.dumps({"port": served.port, "host-key": served.host_key_public}))
    new.replace(place)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
