"""What the plant does at present: settings and faults as they are now, and the reports that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.installation import Installation
from sdqkd.devices.fibre_switch import SwitchSettings
from sdqkd.network.model import Network
from sdqkd.plant.evaluate import evaluate
from sdqkd.plant.sessions import Connection, Session, advanced, connection_of, rekeyed
from sdqkd.plant.values import Reports, Settings


class Running:
    """Settings and faults are values that are replaced; reports are made when somebody asks, and kept until then.

    `now` gives seconds of a clock that does not go back: a session of a protected connection starts at the last
    change before it is first seen up.
    """

    def __init__(self, installation: Installation, now: Callable[[], float]) -> None:
        self.settings = nothing_set(installation.network)
        self.faults = Faults()
        self._installation = installation
        self._now = now
        self._changed_s = now()
        self._reports: Reports | None = None
        self._listeners: dict[object, Callable[[], None]] = {}
        self._sessions: Mapping[Connection, Session] = {}

    def configure(self, settings: Settings) -> None:
        """Tell the devices something else."""
        if settings != self.settings:
            self.settings = settings
            self._change()

    def suffer(self, faults: Faults) -> None:
        """Break or mend something."""
        if faults != self.faults:
            self.faults = faults
            self._change()

    def reports(self) -> Reports:
        """What every device reports now."""
        if self._reports is None:
            self._reports = evaluate(self._installation, self.settings, self.faults)
            up = _intervals_s(self.settings, self._reports)
            self._sessions = advanced(self._sessions, up, self._changed_s)
        return self._reports

    def watch(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever the reports may be others than those that were read last; give what ends that.

        What follows before anybody has read them again is not told again: so one who is told reads them later.
        """
        key = object()
        self._listeners[key] = listener

        def end() -> None:
            self._listeners.pop(key, None)

        return end

    def session(self, connection: Connection) -> tuple[Session, float]:
        """The session of a protected connection, and the time."""
        self.reports()
        return self._sessions.get(connection, Session()), self._now()

    def rekey(self, connection: Connection) -> Session:
        """Give a protected connection that is up another session key now."""
        session, now_s = self.session(connection)
        self._sessions = {**self._sessions, connection: rekeyed(session, now_s)}
        return self._sessions[connection]

    def _change(self) -> None:
        was_read, self._reports = self._reports is not None, None
        self._changed_s = self._now()
        for listener in tuple(self._listeners.values()) if was_read else ():
            listener()


def nothing_set(network: Network) -> Settings:
    """The settings of devices that were told nothing yet."""
    return Settings(
        links={device.name: {} for device in network.of_kind("qkd-node")},
        switches={device.name: SwitchSettings() for device in network.of_kind("fibre-switch")},
        channels={device.name: {} for device in network.of_kind("transponder")},
        connections={device.name: {} for device in network.of_kind("encryptor")},
    )


def _intervals_s(settings: Settings, reports: Reports) -> dict[Connection, int]:
    """Rekey intervals of the connections that are up; the shorter one where the ends differ."""
    up: dict[Connection, int] = {}
    for device, statuses in reports.connections.items():
        for name, status in statuses.items():
            if status == "up":
                told = settings.connections[device][name]
                connection = connection_of(name, device, told.peer)
                up[connection] = min(told.rekey_interval_s, up.get(connection, told.rekey_interval_s))
    return up
