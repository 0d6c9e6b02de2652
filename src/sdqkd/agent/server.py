"""An agent: a device with datastores, a store and sessions, and the port on which it is served."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdqkd.agent import audit
from sdqkd.agent.access import AccessControl
from sdqkd.agent.capabilities import capabilities
from sdqkd.agent.clock import Clock, LoopClock
from sdqkd.agent.commit_timer import CommitTimer
from sdqkd.agent.library import library
from sdqkd.agent.monitoring import Monitor
from sdqkd.agent.nmda import DERIVED
from sdqkd.agent.notifier import Notifier
from sdqkd.agent.ports import Home, Ports, Tls, Ways, open_ports
from sdqkd.agent.reporting import Reporting
from sdqkd.agent.roles import Role, factory_access
from sdqkd.agent.service import Limits, Service
from sdqkd.agent.session import AgentSession
from sdqkd.agent.sessions import Session, Sessions
from sdqkd.datastore.boot import boot
from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.nacm_rules import NACM
from sdqkd.datastore.ports import Changed, Store
from sdqkd.datastore.size_limit import SizeLimit
from sdqkd.devices.device import Device, Operable
from sdqkd.netconf.xml import expect_names
from sdqkd.schema.defaults import DefaultsInUse
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.validate import Validator
from sdqkd.schema.vocabulary import vocabulary
from sdqkd.transport.admission import Gate
from sdqkd.transport.admission import Limits as Admission
from sdqkd.transport.keys import make_key_pair, public_of


class Agent:
    """The server of one device, without a port: `make_session` gives the Receiver of each link."""

    def __init__(
        self,
        device: Device,
        store: Store,
        *,
        name: str | None = None,
        limits: Limits | None = None,
        clock: Clock | None = None,
        startup: bool = False,
        roles: Mapping[str, Role] | None = None,
        recovery_users: Collection[str] = (),
    ) -> None:
        """Bring the device to the configuration that was kept, or to its factory one: see `datastore.boot`.

        `name` is for the logs, else the device's own; `clock` is the event loop's if not given; `startup` says
        that there is a startup datastore.

        `roles` say what each user may do on a fresh agent, from where on it is configuration (RFC 8341). Without
        them everybody may do everything; a recovery user may in any case.
        """
        schema, hardware = device.schema, Reporting(device)
        _expect_vocabulary(schema)
        limits = limits or Limits()
        datastores = boot(
            schema,
            Validator(schema),
            hardware,
            store,
            startup=startup,
            besides=_besides(schema, roles),
            size_limit=SizeLimit(limits.max_configuration_bytes),
        )
        access = AccessControl(
            schema,
            lambda: datastores.get_config("running"),
            recovery_users=recovery_users,
            enforced=roles is not None,
        )
        self._service = _service(device, name or device.name, limits, clock or LoopClock(), datastores, access)
        _let_report(hardware, self._service)

    @property
    def datastores(self) -> Datastores:
        """What is running, and what is candidate."""
        return self._service.datastores

    @property
    def sessions(self) -> Sessions:
        """The open sessions."""
        return self._service.sessions

    def make_session(self) -> AgentSession:
        """Give the Receiver of a new link."""
        return AgentSession(self._service)

    def close(self) -> None:
        """End all sessions."""
        for session in self.sessions:
            session.end("the agent stops", "other")
        self._service.notifier.close()


@dataclass(frozen=True, slots=True)
class ServedAgent:
    """An agent behind a port. `host_key_public` is what its clients must expect, `ssh-ed25519 AAAA…`."""

    agent: Agent
    host_key_public: str
    _ports: Ports

    @property
    def host(self) -> str:
        """Where it listens."""
        return self._ports.ssh.host

    @property
    def port(self) -> int:
        """The real port of SSH, also when 0 was asked for."""
        return self._ports.ssh.port

    @property
    def tls_port(self) -> int | None:
        """The real port of TLS, if it listens there."""
        return self._ports.tls.port if self._ports.tls is not None else None

    async def close(self) -> None:
        """End all sessions and listen no more. The store stays its owner's to close."""
        self.agent.close()
        await self._ports.close()


def _service(
    device: Device, name: str, limits: Limits, clock: Clock, datastores: Datastores, access: AccessControl
) -> Service:
    """Join the parts of an agent."""
    schema, sessions = device.schema, Sessions()
    # Before the notifier, so that a change is in the audit log before anybody is told of it.
    datastores.watchers.append(lambda change: audit.changed(name, _who(sessions, change), schema, change))
    notifier = Notifier(device, datastores, sessions, access, clock)
    return Service(
        name=name,
        schema=schema,
        datastores=datastores,
        sessions=sessions,
        capabilities=capabilities(schema, _names(datastores)),
        namespaces={module.name: module.namespace for module in schema.modules},
        limits=limits,
        clock=clock,
        commit_timer=CommitTimer(name, datastores, notifier, clock),
        defaults=DefaultsInUse(schema),
        access=access,
        notifier=notifier,
        invoke=device.invoke if isinstance(device, Operable) else None,
    )


def _let_report(hardware: Reporting, service: Service) -> None:
    """Let the agent's own state stand beside the device's, and the agent refuse what it cannot do."""
    schema, names = service.schema, _names(service.datastores)
    monitor = Monitor(service.datastores, service.sessions, service.capabilities, service.clock.wall())
    hub = service.notifier.hub
    hardware.checks.append(hub.check)
    hardware.reports += (service.access.state, monitor.state, hub.state, lambda: library(schema, names).tree)


def _names(datastores: Datastores) -> tuple[str, ...]:
    """Give the datastores, those that follow from others too."""
    return (*datastores.targets, *DERIVED)


@functools.cache
def _expect_vocabulary(schema: Schema) -> None:
    expect_names(vocabulary(schema))


def _who(sessions: Sessions, change: Changed) -> Session | None:
    return None if change.session is None else sessions.get(change.session)


def _besides(schema: Schema, roles: Mapping[str, Role] | None) -> Container:
    """Give the configuration that is no device's."""
    return EMPTY if roles is None or NACM not in schema.data else factory_access(roles)


def _host_key(file: Path) -> str:
    return public_of(file) if file.exists() else make_key_pair(file)


async def serve_agent(
    device: Device,
    store: Store,
    host: str,
    port: int,
    *,
    host_key_file: Path,
    users: Mapping[str, Sequence[str]],
    name: str | None = None,
    limits: Limits | None = None,
    admission: Admission | None = None,
    startup: bool = False,
    roles: Mapping[str, Role] | None = None,
    recovery_users: Collection[str] = (),
    tls: Tls | None = None,
    homes: Sequence[Home] = (),
) -> ServedAgent:
    """Serve a device over SSH; `users` gives the public keys of each user, port 0 takes a free one.

    With `tls` it is served over TLS too, to the users named there or anywhere else here; `homes` are clients that
    it calls.

    `limits` are what an agent bears from a session, `admission` how many sessions there may be.
    On a fresh agent a user without one of the `roles` is an admin; see `Agent` for these and `recovery_users`.
    A host key is made on the first start. Raises StoreError if the kept configuration cannot be used,
    InputError for a bad key, TransportError if the port cannot be had.
    """
    named = tls.users if tls is not None else ()
    everyone: dict[str, Role] = {**dict.fromkeys((*users, *named), "admin"), **(roles or {})}
    agent = Agent(
        device, store, name=name, limits=limits, startup=startup, roles=everyone, recovery_users=recovery_users
    )
    host_key = _host_key(host_key_file)
    known = frozenset((*everyone, *recovery_users))
    ways = Ways(host, host_key_file, users, known, agent.make_session, Gate(admission, always=recovery_users))
    return ServedAgent(agent, host_key, await open_ports(ways, port, tls, homes))
