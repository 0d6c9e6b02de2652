from __future__ import annotations

import pytest

from sdqkd.controller.credentials import names_client_key, with_client_key, with_host_key
from sdqkd.controller.yaml_edit import CannotEditError

INVENTORY = """\
inventory:
  username: noc
  client-key-file: keys/noc  # of 2024
  device:
    - {name: alfa, address: 192.0.2.1, host-key: ssh-ed25519 OLD}
    - name: bravo
      address: 192.0.2.2
      client-key-file: keys/other
"""
NETWORK = """\
network:
  device:
    - name: alfa
      management: {address: 192.0.2.1, client-key-file: keys/noc}
    - name: bravo
"""


def test_a_host_key_is_entered_where_the_old_one_stands_or_should() -> None:
    assert with_host_key(INVENTORY, "alfa", "ssh-ed25519 NEW", inventory=True) == INVENTORY.replace(
        "ssh-ed25519 OLD", "'ssh-ed25519 NEW'"
    )
    entered = with_host_key(NETWORK, "alfa", "ssh-ed25519 NEW", inventory=False)
    assert "client-key-file: keys/noc, host-key: 'ssh-ed25519 NEW'}" in entered
    for name in ("bravo", "charlie"):
        with pytest.raises(CannotEditError):
            with_host_key(NETWORK, name, "ssh-ed25519 NEW", inventory=False)


def test_our_key_is_changed_wherever_it_is_named() -> None:
    changed = with_client_key(INVENTORY, "keys/noc-2")
    assert changed == INVENTORY.replace("keys/noc ", "keys/noc-2 ").replace("keys/other", "keys/noc-2")
    assert with_client_key(NETWORK, "k") == NETWORK.replace("keys/noc", "k")
    assert names_client_key(NETWORK)
    assert not names_client_key("network:\n  name: n\n")
    assert with_client_key("network:\n  name: n\n", "k") == "network:\n  name: n\n"
