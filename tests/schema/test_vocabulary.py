from __future__ import annotations

from sdqkd.schema.table import load
from sdqkd.schema.vocabulary import vocabulary


def test_names_of_nodes_operations_parameters_notifications_and_modules_are_there() -> None:
    names = vocabulary(load("qkd-node"))
    assert {"qkd_link", "phys_channel_att", "edit-config", "default-operation", "yang-library-update"} <= names
    assert {"etsi-qkdn", "urn:etsi:qkd:yang:etsi-qkd-node"} <= names
    assert "" not in names
