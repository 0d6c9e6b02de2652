"""A watch keeps devices in their desired state, by the policy of the file, while somebody else changes them."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.controller.watching import (
    ALFA,
    BRAVO,
    POWER,
    TERMS,
    TEXT,
    Holding,
    QuietConnector,
    Site,
    site,
    with_drift,
)

from sdqkd.controller.connect import Dialler
from sdqkd.controller.journal import Begin, End, InDoubt
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.journal_state import fold
from sdqkd.netconf.messages import Notification
from sdqkd.schema.path import parse_path
from sdqkd.schema.tree import put

RULE = "{name: power, path: /sdqkd-optical-device:optical-device/optical-channel/launch-power-dbm, policy: %s}"


async def settled(lab: Site) -> None:
    """Both devices are connected and hold what is wanted."""
    await lab.told("connected", ALFA)
    await lab.told("connected", BRAVO)


async def test_what_somebody_changed_is_restored_and_told_with_who_it_was(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            await lab.tamper(ALFA)
            await lab.told("restored", ALFA, "bob from 127.0.0.1")
            await lab.told("in step", ALFA)
        assert lab.held(ALFA) == "-3.0"
        (drift,) = [one for one in lab.reports if one.kind == "drift"]
        (by,) = drift.to_json()["by"]
        assert (by["username"], by["source-host"]) == ("bob", "127.0.0.1")
        assert by["targets"] == [POWER]
        (change,) = drift.to_json()["changes"]
        assert (change["path"], change["old"], change["new"]) == (POWER, "-3.0", "2.0")
        with closing(SqliteJournal(lab.journal_folder, "two-sites")) as journal:
            _, restore = fold(journal.entries()).values()
        assert restore.outcome == "done"
        assert restore.begin.purpose.startswith(f"restore {ALFA}, changed by bob")
        assert not lab.standing()


async def test_what_somebody_changed_is_adopted_and_the_file_keeps_its_comments(tmp_path: Path) -> None:
    async with site(tmp_path, with_drift("restore", RULE % "adopt")) as lab:
        before = lab.file.read_text("utf-8")
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            await lab.tamper(ALFA)
            await lab.told("adopted", ALFA)
            await lab.told("in step", ALFA)
            # The power is that of both ends: the other one waits for an operator, and is not touched.
            await lab.told("not applied", BRAVO)
        assert lab.file.read_text("utf-8") == before.replace("dbm: -3   # agreed", "dbm: 2.0   # agreed")
        assert (lab.held(ALFA), lab.held(BRAVO)) == ("2.0", "-3.0")
        with closing(SqliteJournal(lab.journal_folder, "two-sites")) as journal:
            remark = journal.entries()[-1].record
        assert (remark.what, remark.details["device"], remark.details["others"]) == (
            "drift-adopted",
            ALFA,
            [BRAVO],
        )


async def test_what_cannot_be_adopted_raises_an_alarm(tmp_path: Path) -> None:
    async with site(tmp_path, with_drift("adopt")) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            await lab.tamper(ALFA, "false", POWER.replace("launch-power-dbm", "enabled"))
            await lab.told("alarm", ALFA, "adopt-refused")
        assert lab.file.read_text("utf-8") == with_drift("adopt")
        assert lab.standing() == {(ALFA, "adopt-refused")}


async def test_an_alarm_stands_until_what_it_tells_is_over(tmp_path: Path) -> None:
    async with site(tmp_path, with_drift("alarm-only")) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            await lab.tamper(ALFA)
            at = await lab.told("alarm", ALFA, "bob from 127.0.0.1")
            assert lab.held(ALFA) == "2.0"
            assert lab.standing() == {(ALFA, "drift")}
            await lab.tamper(ALFA, "-3.0")
            await lab.told("cleared", ALFA, after=at)
        assert not lab.standing()
        assert len(lab.alarms()[ALFA, "drift"].changes) == 2


async def test_a_device_without_notifications_is_polled(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        terms = dataclasses.replace(TERMS, poll_s=0.1)
        async with lab.watch(terms, QuietConnector(Dialler())):
            await settled(lab)
            assert lab.texts("connected", ALFA) == ["connected; it is polled"]
            await lab.tamper(ALFA)
            await lab.told("restored", ALFA, "the device does not say who")
        assert lab.held(ALFA) == "-3.0"


async def test_a_dead_device_is_an_alarm_and_stops_nobody(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        port = lab.agents[BRAVO].port
        await lab.agents[BRAVO].close()
        async with lab.watch():
            await lab.told("alarm", BRAVO, "unreachable")
            await lab.tamper(ALFA)
            await lab.told("restored", ALFA)
            assert lab.standing() == {(BRAVO, "unreachable")}
            await lab.serve(BRAVO, port)
            await lab.told("cleared", BRAVO, "unreachable")
            # It has forgotten everything, which is drift too.
            await lab.told("restored", BRAVO)
        assert (lab.held(ALFA), lab.held(BRAVO)) == ("-3.0", "-3.0")
        assert not lab.standing()


async def test_a_session_that_is_lost_is_opened_again(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            port = lab.agents[ALFA].port
            await lab.agents[ALFA].close()
            at = await lab.told("lost", ALFA)
            await lab.serve(ALFA, port)
            await lab.told("connected", ALFA, after=at)


async def test_another_host_key_is_a_critical_alarm(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        other = lab.endpoints[BRAVO].host_key
        lab.endpoints[ALFA] = dataclasses.replace(lab.endpoints[ALFA], host_key=other)
        async with lab.watch():
            await lab.told("alarm", ALFA, "alarm (critical): host-key-changed")
            await lab.told("connected", BRAVO)
            await lab.agents[ALFA].close()
            await lab.told("alarm", ALFA, "unreachable")
            assert lab.standing() == {(ALFA, "unreachable"), (ALFA, "host-key-changed")}


async def test_what_was_never_applied_is_not_for_the_watch_to_do(tmp_path: Path) -> None:
    async with site(tmp_path) as lab, lab.watch():
        await lab.told("not applied", ALFA)
        await lab.told("not applied", BRAVO)
        assert (lab.held(ALFA), lab.held(BRAVO)) == (None, None)


async def test_a_file_that_changes_is_read_again_and_not_applied(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            lab.file.write_text("network: {", "utf-8")
            await lab.told("file", "", "the earlier one still holds")
            lab.file.write_text(TEXT.replace("dbm: -3", "dbm: -4"), "utf-8")
            await lab.told("file", "", "was read again")
            at = await lab.told("not applied", ALFA)
            await lab.apply()
            await lab.told("in step", ALFA, after=at)
        assert lab.held(ALFA) == "-4.0"
        assert not [one for one in lab.reports if one.kind in ("restored", "drift")]


CHARLIE = "charlie-transponder"
POWER_C22 = POWER.replace("c21", "c22")


def with_charlie(text: str) -> str:
    """A third transponder, at another port of the first one."""
    device = f"{{name: {CHARLIE}, site: Bravo, kind: transponder, device-id: 0a000000-0000-4000-8000-000000000023"
    ends = f"a: {{element: {ALFA}, port: c22}}, b: {{element: {CHARLIE}, port: c22}}"
    ports = f"a: {{device: {ALFA}, port: c22}}, b: {{device: {CHARLIE}, port: c22}}"
    channel = f"{{name: alfa-bravo-c22, role: encrypted-data, fibre: alfa-charlie, channel: 22, {ports}"
    return (
        text.replace("[{name: c21}]", "[{name: c21}, {name: c22}]", 1)
        .replace("  fibre:\n", f"    - {device}, port: [{{name: c22}}]}}\n  fibre:\n")
        .replace(
            "  optical-channel:\n",
            f"    - {{name: alfa-charlie, {ends}, length-km: 9, loss-db: 2}}\n  optical-channel:\n",
        )
        .replace("  health-gate:", f"    - {channel}, launch-power-dbm: -4}}\n  health-gate:")
    )


async def test_a_device_that_comes_into_the_file_later_is_restored_too(tmp_path: Path) -> None:
    async with site(tmp_path, with_charlie(TEXT)) as lab:
        # Alfa has its second port from the beginning, but nobody wants anything of it.
        lab.file.write_text(TEXT.replace("[{name: c21}]", "[{name: c21}, {name: c22}]", 1))
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            await lab.tamper(BRAVO)
            await lab.told("restored", BRAVO)
            lab.file.write_text(with_charlie(TEXT))
            await lab.told("not applied", CHARLIE)
            await lab.apply()
            after = await lab.told("in step", CHARLIE)
            await lab.tamper(CHARLIE, where=POWER_C22)
            await lab.told("restored", CHARLIE, after=after)
            after = await lab.told("in step", CHARLIE, after=after + 1)
            # What is taken out again is left to whoever has taken it out.
            lab.file.write_text(TEXT)
            await lab.told("file", "", "was read again", after=after)
        assert lab.held(CHARLIE, POWER_C22) == "-4.0"
        assert not lab.standing()


async def test_what_was_read_before_the_file_changed_is_read_again(tmp_path: Path) -> None:
    """By then the file may mean another device, or none."""
    async with site(tmp_path, with_charlie(TEXT)) as lab:
        await lab.apply()
        slow = Holding(Dialler(timeout_s=5.0), CHARLIE)
        async with lab.watch(connector=slow):
            await settled(lab)
            after = await lab.told("connected", CHARLIE)
            slow.hold()
            await lab.tamper(CHARLIE, where=POWER_C22)
            await slow.kept_some.wait()
            lab.file.write_text(TEXT.replace("[{name: c21}]", "[{name: c21}, {name: c22}]", 1))
            after = await lab.told("file", "", "was read again", after=after)
            slow.let_go()
            await lab.tamper(BRAVO)
            await lab.told("restored", BRAVO, after=after)
        assert lab.held(CHARLIE, POWER_C22) == "2.0"
        assert not lab.standing()
        assert not [one for one in lab.reports if one.kind == "alarm"]


async def test_a_device_that_moves_is_watched_and_restored_where_it_is_now(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            await lab.tamper(BRAVO)
            after = await lab.told("restored", BRAVO)
            # Another takes its place, as it comes from the factory; the one before lives on, and is not asked.
            before = lab.agents[BRAVO]
            await lab.serve(BRAVO)
            lab.file.write_text(f"# moved\n{TEXT}")
            after = await lab.told("connected", BRAVO, after=after)
            await lab.told("restored", BRAVO, after=after)
            assert lab.held(BRAVO) == "-3.0"
            assert not before.agent.sessions
        await before.close()


async def test_a_device_that_a_transaction_is_changing_is_left_alone(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            with closing(SqliteJournal(lab.journal_folder, "two-sites")) as journal:
                lease = journal.take("somebody else")
                lease.append(Begin("tx-1", "two-sites", "bob", {}, {ALFA: []}, {}, {}))
                await lab.tamper(ALFA)
                await lab.tamper(BRAVO)
                # Bravo was changed later and is seen to, as far as that goes while somebody has the lease.
                await lab.told("drift", BRAVO)
                assert not lab.texts("drift", ALFA)
                lease.append(End("tx-1", "done"))
                lease.release()
            await lab.told("restored", ALFA)
            await lab.told("restored", BRAVO)


async def test_what_a_transaction_leaves_in_doubt_is_an_alarm_until_somebody_has_seen_to_it(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            with closing(SqliteJournal(lab.journal_folder, "two-sites")) as journal:
                lease = journal.take("somebody else")
                lease.append(Begin("tx-1", "two-sites", "bob", {}, {ALFA: []}, {}, {}))
                lease.append(InDoubt("tx-1", ALFA, "it cannot be asked", "recover"))
                await lab.told("alarm", ALFA, "in-doubt: after tx-1: it cannot be asked; recover")
                lease.append(End("tx-1", "closed"))
                lease.release()
            await lab.told("cleared", ALFA, "in-doubt")


async def test_outside_of_a_maintenance_window_nothing_is_restored(tmp_path: Path) -> None:
    opens = datetime.now(UTC) + timedelta(hours=2)
    shut = f"{{name: later, from: '{opens:%H:%M}', until: '{opens + timedelta(hours=1):%H:%M}', time-zone: UTC}}"
    text = TEXT.replace("  domain:", f"  policy:\n    maintenance-window:\n      - {shut}\n  domain:", 1)
    async with site(tmp_path, text) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            await lab.tamper(ALFA)
            await lab.told("alarm", ALFA, "restore-refused: now is no maintenance window")
            assert lab.held(ALFA) == "2.0"
            lab.file.write_text(TEXT, "utf-8")
            await lab.told("restored", ALFA)
        assert lab.held(ALFA) == "-3.0"
        assert not lab.standing()


async def test_a_restore_that_is_refused_is_an_alarm_and_tried_again(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        await lab.apply()
        async with lab.watch():
            await settled(lab)
            async with lab.bob(ALFA) as bob:
                await bob.lock("running")
                running = await bob.get_config()
                await lab.write(bob, running, put(bob.schema, running, parse_path(bob.schema, POWER), "2.0"))
                await lab.told("alarm", ALFA, "restore-refused")
                assert lab.standing() == {(ALFA, "restore-refused")}
            await lab.told("restored", ALFA)
            await lab.told("cleared", ALFA, "restore-refused")


async def test_models_that_differ_are_an_alarm(tmp_path: Path) -> None:
    async with site(tmp_path) as lab:
        loaded = lab.loaded
        devices = dict(loaded.network.devices)
        devices[ALFA] = dataclasses.replace(devices[ALFA], model_set="optical-device")
        network = dataclasses.replace(loaded.network, devices=devices)
        async with lab.watch(network=dataclasses.replace(loaded, network=network)):
            await lab.told("alarm", ALFA, "sdqkd-optical-device has the features transponder, not the features")
        assert lab.standing() == {(ALFA, "model-mismatch")}


async def test_its_end_is_the_end_of_all_its_sessions(tmp_path: Path) -> None:
    ended: asyncio.Queue[str] = asyncio.Queue()

    def heard(notification: Notification) -> None:
        if "session-end" in str(notification.content.tag):
            ended.put_nowait(" ".join(leaf.text or "" for leaf in notification.content))

    async with site(tmp_path) as lab, lab.bob(ALFA) as bob:
        await bob.subscribe(heard)
        async with lab.watch():
            await settled(lab)
        async with asyncio.timeout(5):
            said = await ended.get()
        assert said.startswith("noc ")
        assert said.endswith(" closed")
