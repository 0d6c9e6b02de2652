"""The operations that are sent, as bytes: SD-QKD nodes of ETSI GS QKD 015."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

NODE = b"urn:etsi:qkd:yang:etsi-qkd-node"
TYPES = b"urn:etsi:qkd:yang:etsi-qkd-node-types"
_SPACE = uuid.UUID("7f5c1f0e-2f44-4b0e-9d57-0f8d1c3a9b11")


def link_id(number: int) -> bytes:
    """The name of link `number`, the same in every run."""
    return str(uuid.uuid5(_SPACE, str(number))).encode()


def link(number: int, node_id: bytes, loss_db: bytes = b"7.47") -> bytes:
    """A physical link that is switched off: all that a controller writes of one."""
    return (
        b'<qkd_link xmlns:t="%b"><qkdl_id>%b</qkdl_id><qkdl_status>t:OFF</qkdl_status>'
        b"<qkdl_enable>false</qkdl_enable>"
        b"<qkdl_local><qkdn_id>%b</qkdn_id><qkdi_id>1</qkdi_id></qkdl_local>"
        b"<qkdl_remote><qkdn_id>%b</qkdn_id><qkdi_id>2</qkdi_id></qkdl_remote>"
        b"<qkdl_type>t:PHYS</qkdl_type><phys_channel_att>%b</phys_channel_att></qkd_link>"
        % (TYPES, link_id(number), node_id, link_id(-1 - number), loss_db)
    )  # fmt: skip


def _node(content: bytes) -> bytes:
    return b'<qkd_node xmlns="%b">%b</qkd_node>' % (NODE, content)


def _edit(content: bytes) -> bytes:
    return (
        b'<edit-config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><target><candidate/></target>'
        b"<config>%b</config></edit-config>" % _node(content)
    )  # fmt: skip


def make_node(node_id: bytes) -> bytes:
    """The identifier, for a server that comes without a configuration."""
    return _edit(b"<qkdn_id>%b</qkdn_id>" % node_id)


def make_links(numbers: Iterable[int], node_id: bytes) -> bytes:
    """Create links in candidate."""
    return _edit(b"<qkd_links>%b</qkd_links>" % b"".join(link(number, node_id) for number in numbers))


def drop_links(numbers: Iterable[int]) -> bytes:
    """Delete links in candidate."""
    gone = (b'<qkd_link nc:operation="delete"><qkdl_id>%b</qkdl_id></qkd_link>' % link_id(n) for n in numbers)
    return _edit(b"<qkd_links>%b</qkd_links>" % b"".join(gone))


def set_loss(number: int, loss_db: bytes) -> bytes:
    """Change one leaf of one link in candidate."""
    entry = b"<qkdl_id>%b</qkdl_id><phys_channel_att>%b</phys_channel_att>" % (link_id(number), loss_db)
    return _edit(b"<qkd_links><qkd_link>%b</qkd_link></qkd_links>" % entry)


def get_small(extra: bytes = b"") -> bytes:
    """Ask for one leaf; with `extra`, white space that makes this request differ from others."""
    return get_config(b"<qkdn_id/>" + extra)


def blank(number: int) -> bytes:
    """White space, another for each number up to a million."""
    return f"{number:020b}".encode().translate(bytes.maketrans(b"01", b" \n"))


def get_links() -> bytes:
    """Ask for all links."""
    return get_config(b"<qkd_links/>")


def get_config(content: bytes) -> bytes:
    return b'<get-config><source><running/></source><filter type="subtree">%b</filter></get-config>' % _node(
        content
    )


COMMIT = b"<commit/>"
