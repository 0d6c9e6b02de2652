"""ncclient, which was not written here, as a client of an agent on loopback."""

from __future__ import annotations

from pathlib import Path

from ncclient import manager

PLACE = (
    '<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node">'
    "<qkdn_location_id>{}</qkdn_location_id></qkd_node></config>"
)
FILTER = ("subtree", '<qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node"><qkdn_location_id/></qkd_node>')


def log_in(port: int, host_key: str, key_file: Path, username: str = "noc") -> manager.Manager:
    """Open a session. ncclient checks the host key against the given one."""
    return manager.connect(
        host="127.0.0.1",
        port=port,
        username=username,
        key_filename=str(key_file),
        hostkey_b64=host_key.split()[1],
        allow_agent=False,
        look_for_keys=False,
        timeout=20,
    )


def place_in(session: manager.Manager, source: str) -> str | None:
    """Where this datastore says that the node stands."""
    data = session.get_config(source, filter=FILTER).data
    return data.findtext(".//{urn:etsi:qkd:yang:etsi-qkd-node}qkdn_location_id")
