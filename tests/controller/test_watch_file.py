"""The network file under a watch: what somebody else wrote is never written over."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from sdqkd.controller.adopt import CannotAdoptError
from sdqkd.controller.drift_rules import Policies
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.watch_file import NetworkFile, demand_watchable
from sdqkd.errors import InputError
from sdqkd.schema.diff import Change
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import load

DATA = Path(__file__).parent / "data" / "two-sites.yaml"
ALFA = "alfa-transponder"
POWER = "/sdqkd-optical-device:optical-device/optical-channel[name='alfa-bravo-c21']/launch-power-dbm"
CHANGE = Change("change", parse_path(load("transponder"), POWER), "-3.0", "2.0")


def opened(file: Path) -> NetworkFile:
    return NetworkFile(file, lambda text: load_network(text, str(file)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "network.yaml"
    file.write_bytes(DATA.read_bytes())
    return file


def test_only_the_value_is_written(file: Path) -> None:
    file.chmod(0o640)
    before = file.read_text("utf-8")
    found = opened(file)
    assert found.adopt(ALFA, [CHANGE]).others == ("bravo-transponder",)
    assert file.read_text("utf-8") == before.replace("dbm: -3 ", "dbm: 2.0 ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(file.parent) == [file.name]
    assert found.loaded.network.optical_channels["alfa-bravo-c21"].launch_power_dbm == 2.0
    assert not found.refresh()


def test_line_ends_and_links_stay(file: Path, tmp_path: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    before = file.read_bytes()
    opened(link).adopt(ALFA, [CHANGE])
    assert link.is_symlink()
    assert file.read_bytes() == before.replace(b"dbm: -3 ", b"dbm: 2.0 ")


def test_a_changed_inventory_is_read_too(file: Path, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text("inventory: {}\n")
    read: list[str] = []

    def load(text: str) -> LoadedNetwork:
        read.append(inventory.read_text())
        return load_network(text, str(file))

    found = NetworkFile(file, load, inventory)
    assert not found.refresh()
    inventory.write_text("inventory: {username: noc}\n")
    assert found.refresh()
    assert read == ["inventory: {}\n", "inventory: {username: noc}\n"]


def test_a_watch_does_not_go_on_with_another_network_or_other_callers(file: Path) -> None:
    first = opened(file).loaded
    demand_watchable(first, opened(file).loaded)
    named = dataclasses.replace(first, network=dataclasses.replace(first.network, name="other"))
    with pytest.raises(InputError, match="the network is called other now, and two-sites is watched: start"):
        demand_watchable(first, named)
    text = file.read_text("utf-8").replace(
        "port: [{name: c21}]}", "port: [{name: c21}], management: {call-home: true}}", 1
    )
    calling = load_network(text, str(file))
    for was, now in ((first, calling), (calling, first)):
        with pytest.raises(InputError, match="devices call home otherwise than when this watch began"):
            demand_watchable(was, now)


def test_an_edit_that_was_not_read_is_not_written_over(file: Path) -> None:
    found = opened(file)
    file.write_text(file.read_text("utf-8") + "# mine\n", "utf-8")
    before = file.read_bytes()
    with pytest.raises(CannotAdoptError, match="somebody has just changed it"):
        found.adopt(ALFA, [CHANGE])
    assert file.read_bytes() == before
    assert found.refresh()
    found.adopt(ALFA, [CHANGE])
    assert file.read_bytes().endswith(b"# mine\n")


def test_a_file_that_became_wrong_is_told_once_and_the_earlier_one_holds(file: Path) -> None:
    found = opened(file)
    network = found.loaded.network
    file.write_text("network: {", "utf-8")
    with pytest.raises(InputError, match="not YAML"):
        found.refresh()
    assert not found.refresh()
    assert found.loaded.network is network
    file.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        found.refresh()


def test_policies_follow_the_file(file: Path) -> None:
    found = opened(file)
    assert found.policies(ALFA) == Policies((), "restore")
    text = file.read_text("utf-8").replace("  domain:", "  drift: {policy: adopt}\n  domain:", 1)
    file.write_text(text, "utf-8")
    assert found.refresh()
    assert found.policies(ALFA) == Policies((), "adopt")
