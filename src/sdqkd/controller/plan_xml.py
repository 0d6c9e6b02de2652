"""A plan as devices would be told it: the <config> of an edit-config for each (RFC 6241 section 7.2). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from sdqkd.controller.plan import Plan
from sdqkd.netconf.xml import Element, parse
from sdqkd.schema.attributes import NETCONF
from sdqkd.schema.changes import changes_to_xml

_NAMESPACE = "urn:sdqkd:plan"


def config_of(plan: Plan, device: str) -> Element:
    """The <config> element that one device is sent; its default operation is merge."""
    planned = plan.devices[device]
    content = changes_to_xml(planned.schema, planned.changes)
    return parse(b'<config xmlns="%b">%b</config>' % (NETCONF.encode(), content))


def plan_xml(plan: Plan) -> str:
    """One document with a <device> for each that changes, indented for people; what is inside is what is sent."""
    top = parse(b'<plan xmlns="%b"/>' % _NAMESPACE.encode())
    top.set("network", plan.network)
    for name, config in _configs(plan):
        device = etree.SubElement(top, f"{{{_NAMESPACE}}}device", {"name": name})
        device.append(config)
    etree.indent(top)
    return etree.tostring(top, encoding="unicode")


def _configs(plan: Plan) -> Iterator[tuple[str, Element]]:
    for name in plan.changed:
        yield name, config_of(plan, name)
