"""`sdqkd agent`: one device of a network behind its NETCONF agent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sdqkd.agent.server import ServedAgent
from sdqkd.agent.service import Limits
from sdqkd.cli.console import note, show_json
from sdqkd.cli.doors import Doors, read_doors, transports
from sdqkd.cli.emulation import LOOPBACK, NOC_USER, Terms, Users, key_pair, serve
from sdqkd.cli.inputs import (
    as_json,
    authorized_keys,
    default_run_directory,
    network_file,
    read_network_file,
    read_roles,
    read_users,
    recovery_users,
    run_directory,
    user_roles,
)
from sdqkd.cli.logs import start_logs
from sdqkd.cli.run_directory import RunDirectory
from sdqkd.cli.running import interruptible, until_stopped
from sdqkd.devices.device import Device
from sdqkd.errors import InputError
from sdqkd.plant.plant import Plant
from sdqkd.transport.admission import Limits as Admission

_BOUNDS = (
    "startup", "idle_timeout", "hello_timeout", "message_timeout", "max_sessions", "max_sessions_per_user",
    "max_waiting", "max_message_mib", "max_configuration_mib",
)  # fmt: skip


@click.command()
@network_file
@click.argument("device")
@run_directory
@authorized_keys
@user_roles
@recovery_users
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; 0 takes a free one.")
@transports
@click.option("--startup", is_flag=True, help="Have a startup datastore: only what is copied to it survives.")
@click.option(
    "--idle-timeout", type=click.IntRange(min=0), default=3600, show_default=True,
    help="Seconds without a call after which a session ends; 0 is never.",
)  # fmt: skip
@click.option(
    "--hello-timeout", type=click.IntRange(min=1), default=30, show_default=True,
    help="Seconds that a client has to log in, and then again to send its hello.",
)  # fmt: skip
@click.option(
    "--message-timeout", type=click.IntRange(min=1), default=120, show_default=True,
    help="Seconds that a message may take from its beginning to its end.",
)  # fmt: skip
@click.option("--max-sessions", type=click.IntRange(min=1), default=256, show_default=True, help="In all.")
@click.option(
    "--max-sessions-per-user", type=click.IntRange(min=1), default=128, show_default=True, help="Of one user."
)
@click.option(
    "--max-waiting", type=click.IntRange(min=1), default=128, show_default=True,
    help="Connections on which nobody has logged in yet; for a newer one the oldest goes.",
)  # fmt: skip
@click.option(
    "--max-message", "max_message_mib", type=click.IntRange(1, 1024), default=16, show_default=True,
    help="MiB that a message may have.",
)  # fmt: skip
@click.option(
    "--max-configuration", "max_configuration_mib", type=click.IntRange(min=1), default=128, show_default=True,
    help="MiB that a configuration may have.",
)  # fmt: skip
@as_json
def command(
    network: Path,
    device: str,
    run_dir: Path | None,
    authorized: tuple[str, ...],
    user_roles: tuple[str, ...],
    recovery_users: tuple[str, ...],
    host: str,
    port: int,
    json_output: bool,
    **more: Any,
) -> None:
    """Serve DEVICE of NETWORK, until interrupted.

    The rest of the network is dark for it: a link stays pending, as its other end is not there.
    """
    loaded = read_network_file(network)
    devices = Plant(loaded.network).devices
    if device not in devices:
        known = ", ".join(devices)
        raise InputError(f"there is no device '{device}' in this network; it has {known}", str(network))
    run = RunDirectory(run_dir) if run_dir else default_run_directory(loaded)
    bounds = {name: more.pop(name) for name in _BOUNDS}
    doors = read_doors(**more)
    terms = replace(_terms(**bounds), roles=read_roles(user_roles), recovery_users=recovery_users, doors=doors)
    interruptible(_serve(devices[device], run, read_users(authorized), host, port, terms, json_output))


def _terms(
    *,
    startup: int,
    idle_timeout: int,
    hello_timeout: int,
    message_timeout: int,
    max_sessions: int,
    max_sessions_per_user: int,
    max_waiting: int,
    max_message_mib: int,
    max_configuration_mib: int,
) -> Terms:
    message_bytes = max_message_mib * 2**20
    limits = Limits(
        hello_timeout_s=hello_timeout,
        rpc_timeout_s=message_timeout,
        idle_timeout_s=idle_timeout or None,
        max_message_bytes=message_bytes,
        max_waiting_bytes=4 * message_bytes,
        max_configuration_bytes=max_configuration_mib * 2**20,
    )
    admission = Admission(
        max_sessions=max_sessions,
        max_sessions_per_user=max_sessions_per_user,
        max_waiting=max_waiting,
        max_waiting_per_source=max(1, max_waiting // 4),
        login_timeout_s=hello_timeout,
    )
    return Terms(limits, admission, startup=bool(startup))


async def _serve(
    device: Device, run: RunDirectory, users: Users, host: str, port: int, terms: Terms, json_output: bool
) -> None:
    run.prepare()
    start_logs(run.audit_log)
    everyone = {NOC_USER: [key_pair(run.noc_key)], **users}
    served = await serve(device, run, everyone, host=host, port=port, terms=terms)
    try:
        if json_output:
            show_json(_shown(device, served.agent, terms.doors))
        _tell(device, served.agent, run, terms.doors)
        await until_stopped()
    finally:
        await served.close()


def _shown(device: Device, agent: ServedAgent, doors: Doors) -> dict[str, object]:
    shown: dict[str, object] = {"device": device.name, "address": agent.host, "port": agent.port}
    shown["host-key"] = agent.host_key_public
    if doors.tls is not None:
        shown |= {"tls-port": agent.tls_port, "certificate": str(doors.tls.fingerprint)}
    if doors.homes:
        shown["call-home"] = [str(home) for home in doors.homes]
    return shown


def _tell(device: Device, agent: ServedAgent, run: RunDirectory, doors: Doors) -> None:
    note(f"{device.name} listens on {agent.host} port {agent.port}")
    if doors.tls is not None:
        place = "" if agent.tls_port is None else f"port {agent.tls_port}, "
        note(f"over TLS: {place}certificate {doors.tls.fingerprint}")
    for home in doors.homes:
        note(f"calls home: {home}")
    note(f"host key: {agent.host_key_public}; client key: {run.noc_key}; stop with Ctrl-C")
