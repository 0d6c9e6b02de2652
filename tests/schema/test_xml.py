from __future__ import annotations

import json as text
from collections.abc import Callable
from random import Random

import oopt_gnpy_libyang as libyang
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.schema.elements import elements_of
from tests.schema.random_trees import SCHEMA, children

from sdqkd.errors import RpcError
from sdqkd.schema import json, xml
from sdqkd.schema.diff import same
from sdqkd.schema.edit import edit
from sdqkd.schema.table import Schema, load
from sdqkd.schema.tree import EMPTY, Container, Entries
from sdqkd.schema.validate import Validator
from sdqkd.schema.xml import decode, decode_below, encode, encode_one

_ROW_A = "/fixture:rows/row[name='a']"
LAW = settings(deadline=None, max_examples=60)


@LAW
@given(seed=st.integers(0, 2**32))
def test_decoding_what_was_encoded_gives_the_tree(seed: int) -> None:
    rng = Random(seed)
    tree = children(SCHEMA.data, rng)
    assert decode(SCHEMA, elements_of(SCHEMA, tree)) == tree
    assert encode(SCHEMA, decode(SCHEMA, elements_of(SCHEMA, tree))) == encode(SCHEMA, tree)


@LAW
@given(seed=st.integers(0, 2**32))
def test_libyang_reads_what_was_encoded(seed: int) -> None:
    tree = children(SCHEMA.data, Random(seed))
    # A comment, since libyang wants some document.
    document = "<!-- -->" + encode(SCHEMA, tree).decode()
    options = libyang.ParseOptions.Strict | libyang.ParseOptions.ParseOnly
    node = Validator(SCHEMA)._context.parse_data(document, libyang.DataFormat.XML, options)
    # Printed as JSON: in XML libyang leaves a carriage return as it is, which no parser keeps.
    flags = libyang.PrintFlags.Shrink | libyang.PrintFlags.WithSiblings
    printed = node.print(libyang.DataFormat.JSON, flags) if node is not None else "{}"
    assert same(SCHEMA, json.decode(SCHEMA, text.loads(printed)), tree)


def test_namespaces_are_declared_where_the_module_changes(
    schema: Schema, tree_of: Callable[..., Container]
) -> None:
    tree = tree_of(
        '<box><label>a</label><inner xmlns="urn:sdqkd:test:fixture-more">'
        '<colour xmlns:t="urn:sdqkd:test:fixture-types">t:RED</colour></inner><colour>BLUE</colour></box>'
    )
    assert encode(schema, tree).decode() == (
        '<box xmlns="urn:sdqkd:test:fixture"><label>a</label><inner xmlns="urn:sdqkd:test:fixture-more">'
        '<colour xmlns:ft="urn:sdqkd:test:fixture-types">ft:RED</colour></inner><colour>BLUE</colour></box>'
    )


def test_keys_come_first_whatever_the_order_in_the_tree(schema: Schema) -> None:
    cell = Container({"value": "1.5", "y": "<&>\r\"'", "x": "1"})
    row = Container({"cell": Entries({("1", "<&>\r\"'"): cell}), "name": "a"})
    tree = Container({"fixture:rows": Container({"row": Entries({("a",): row})})})
    assert encode(schema, tree).decode() == (
        '<rows xmlns="urn:sdqkd:test:fixture"><row><name>a</name><cell><x>1</x>'
        "<y>&lt;&amp;&gt;&#13;\"'</y><value>1.5</value></cell></row></rows>"
    )
    assert decode(schema, elements_of(schema, tree)) == tree


def test_an_instance_identifier_has_a_prefix_on_every_name(schema: Schema) -> None:
    value = "/fixture:rows/row[name='/a:b']/fixture-more:far"
    tree = Container({"fixture:values": Container({"instance": value})})
    assert encode(schema, tree).decode() == (
        '<values xmlns="urn:sdqkd:test:fixture"><instance xmlns:fx="urn:sdqkd:test:fixture"'
        " xmlns:fm=\"urn:sdqkd:test:fixture-more\">/fx:rows/fx:row[fx:name='/a:b']/fm:far</instance></values>"
    )
    assert decode(schema, elements_of(schema, tree)) == tree


def test_anydata_is_kept_as_it_is(schema: Schema, validator: Validator, tree_of: Callable[..., Container]) -> None:
    tree = tree_of("<box><note>1 &lt; 2 <p:a xmlns:p='urn:p' q='1'>&amp;<b/></p:a> end</note></box>")
    (box,) = elements_of(schema, tree)
    assert decode(schema, [box]) == tree
    note = box[0]
    assert (note.text, note[0].tag, note[0].get("q"), note[0].text, note[0].tail) == (
        "1 < 2 ", "{urn:p}a", "1", "&", " end",
    )  # fmt: skip
    validator.check(tree_of("<box><note><a xmlns='urn:p'>x</a></note></box>"))


def test_state_is_read_only_where_it_is_wanted(schema: Schema, tree_of: Callable[..., Container]) -> None:
    source = "<box><state>s</state><event><text>one</text></event><event><text>one</text></event></box>"
    with pytest.raises(RpcError, match="cannot be configured"):
        tree_of(source)
    tree = tree_of(source, state=True)
    event = Container({"text": "one"})
    events = Entries({("1",): event, ("2",): event})
    assert tree == Container({"fixture:box": Container({"state": "s", "event": events})})
    assert decode(schema, elements_of(schema, tree), state=True) == tree


@pytest.mark.parametrize(
    ("source", "tag", "path"),
    [
        ("<box><lable/></box>", "unknown-element", "/fixture:box"),
        ("<box xmlns='urn:nobody'/>", "unknown-namespace", "/"),
        ("<rows><row/></rows>", "missing-element", "/fixture:rows/row"),
        (
            "<rows><row><name>a</name><slot>x</slot></row></rows>",
            "invalid-value",
            "/fixture:rows/row[name='a']/slot",
        ),
        (
            "<rows><row><name>a</name></row><row><name>a</name></row></rows>",
            "bad-element",
            "/fixture:rows/row[name='a']",
        ),
        ("<box><tag>a</tag><tag>a</tag></box>", "bad-element", "/fixture:box/tag[.='a']"),
        ("<box><text>a</text><text>a</text></box>", "bad-element", "/fixture:box/text"),
        ("<box/><box/>", "bad-element", "/fixture:box"),
        ("<box>text</box>", "bad-element", "/fixture:box"),
        ("<box><label><name>a</name></label></box>", "unknown-element", "/fixture:box/label"),
        ("<rows><row><name><x/></name></row></rows>", "unknown-element", "/fixture:rows/row[name='']/name"),
        ("<box><grain>1</grain><oil><grade>g</grade></oil></box>", "bad-element", "/fixture:box/oil"),
    ],
)
def test_what_is_wrong_has_a_tag_and_a_path(
    source: str, tag: str, path: str, tree_of: Callable[..., Container]
) -> None:
    with pytest.raises(RpcError) as raised:
        tree_of(source)
    assert (raised.value.tag, raised.value.path) == (tag, path)


def test_a_notification_and_an_rpc_are_read_below_their_element(schema: Schema) -> None:
    spilled = schema.notifications["fixture:spilled"]
    element = etree.fromstring("<spilled xmlns='urn:sdqkd:test:fixture'><litres>07</litres></spilled>")
    content = decode_below(schema, spilled, element)
    assert content == Container({"litres": "7"})
    pack = schema.rpcs["fixture:pack"]
    element = etree.fromstring("<pack xmlns='urn:sdqkd:test:fixture'><what>a</what></pack>")
    assert decode_below(schema, pack.input, element) == Container({"what": "a"})


def test_what_is_wrong_below_an_element_has_its_path_from_there(schema: Schema) -> None:
    element = etree.fromstring("<spilled xmlns='urn:sdqkd:test:fixture'><litres>much</litres></spilled>")
    with pytest.raises(RpcError) as caught:
        decode_below(schema, schema.notifications["fixture:spilled"], element)
    assert (caught.value.tag, caught.value.path) == ("invalid-value", "/litres")


def test_nothing_is_nothing(schema: Schema) -> None:
    assert decode(schema, []) == EMPTY
    assert encode(schema, EMPTY) == b""


def test_a_link_as_public_clients_write_it() -> None:
    schema = load("qkd-node")
    link = etree.fromstring(
        '<q:qkd_node xmlns:q="urn:etsi:qkd:yang:etsi-qkd-node"><q:qkd_links><q:qkd_link>'
        "<q:qkdl_id>4EF1B521-F83C-5B0D-B896-530B37BFC83D</q:qkdl_id>"
        '<q:qkdl_status xmlns:z="urn:etsi:qkd:yang:etsi-qkd-node-types">z:OFF</q:qkdl_status>'
        "<q:phys_channel_att>7.470</q:phys_channel_att></q:qkd_link></q:qkd_links></q:qkd_node>"
    )
    links = (
        decode(schema, [link]).children["etsi-qkd-sdn-node:qkd_node"].children["qkd_links"].children["qkd_link"]
    )
    key = ("4ef1b521-f83c-5b0d-b896-530b37bfc83d",)
    assert links.entries[key].children == {
        "qkdl_id": key[0],
        "qkdl_status": "etsi-qkd-node-types:OFF",
        "phys_channel_att": "7.47",
    }


def test_one_node_declares_its_namespace() -> None:
    node = SCHEMA.node(("fixture:rows", "row"))
    entry = Container({"name": "a"})
    text = encode_one(SCHEMA, node, Entries({("a",): entry})).decode()
    assert text == f'<row xmlns="{SCHEMA.namespace_of("fixture")}"><name>a</name></row>'
    top = SCHEMA.data["fixture:rows"]
    assert encode_one(SCHEMA, top, Container({"row": Entries({("a",): entry})})).count(b"xmlns") == 1


@pytest.mark.parametrize("seed", range(40))
def test_what_was_printed_before_is_printed_again(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(seed)
    tree = children(SCHEMA.data, rng)
    afresh = encode(SCHEMA, tree)
    monkeypatch.setattr(xml, "_LONG_LIST", 1)
    assert [encode(SCHEMA, tree) for _ in range(2)] == [afresh, afresh]
    request = b"<config>%b</config>" % encode(SCHEMA, children(SCHEMA.data, rng))
    after = edit(SCHEMA, tree, etree.fromstring(request))
    printed = encode(SCHEMA, after)
    monkeypatch.setattr(xml, "_LONG_LIST", 1000)
    assert printed == encode(SCHEMA, decode(SCHEMA, etree.fromstring(b"<config>%b</config>" % printed)))
