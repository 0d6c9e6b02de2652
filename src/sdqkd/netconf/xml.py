"""XML as NETCONF uses it: UTF-8 without document types (RFC 6241 section 3), read safely and written by hand.

The libxml2 limits (no huge trees) stay on: they bound depth, the length of a text and the growth by entities.
Beyond them the number of tags and attributes is bounded, since a tree takes thirty times the memory of a text of
short tags; and names are met by the main thread only as far as `names` allows.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.netconf.names import Names

Element = etree._Element

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
YANG = "urn:ietf:params:xml:ns:yang:1"

_ADVICE = re.compile(r",? (try|use) XML_PARSE_HUGE( option)?|, see xmlCtxtSetMaxAmplification\.")

# Characters that XML 1.0 section 2.2 does not allow, not even as references.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_TEXT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",  # whatever the declaration says: RFC 6241 section 3 allows nothing else
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


MAX_TAGS = 1_000_000
_SMALL_BYTES = 8192  # the names of a longer message take longer to look at than a thread to start

_PARSER = _parser()
_NAMES = Names()


def expect_names(names: Iterable[str]) -> None:
    """Take in the names that peers are going to use: messages with others take a tenth of a millisecond longer."""
    _NAMES.expect(names)


def parse(data: bytes) -> Element:
    """Read one message; white space before it is forgiven, since 1.0 peers send line feeds between messages.

    Raises RpcError `malformed-message` when not well-formed, not UTF-8, too deep, or with a document type,
    `too-big` when it has more than `MAX_TAGS` tags and attributes.
    """
    data = data.lstrip(b" \t\r\n")
    # Each bit of text that looks like a tag or an attribute counts, too.
    if len(data) > MAX_TAGS and data.count(b"<") + data.count(b'="') + data.count(b"='") > MAX_TAGS:
        raise RpcError("too-big", f"the message has more than {MAX_TAGS} tags and attributes", type="rpc")
    try:
        root = _read(data)
    except etree.XMLSyntaxError as error:
        raise malformed(f"the message is not well-formed XML: {_reason(error)}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise malformed("the message has a document type declaration, which NETCONF does not allow")
    return root


def _read(data: bytes) -> Element:
    if len(data) <= _SMALL_BYTES and _NAMES.admit(data):
        return _read_with(_PARSER, data)
    return _read_apart(data)


def _read_with(parser: etree.XMLParser, data: bytes) -> Element:
    root = etree.fromstring(data, parser)
    # lxml looks at the last thing that libxml2 had to say: after a mere warning it forgives an undeclared prefix.
    if len(parser.error_log):
        fault = parser.error_log.filter_domains(etree.ErrorDomains.NAMESPACE).filter_from_errors().last_error
        if fault is not None:
            raise malformed(f"the message is not well-formed XML: {fault.message}, line {fault.line}")
    return root


def _read_apart(data: bytes) -> Element:
    """Parse in a thread of its own, which takes the names along when it ends and the tree is no longer used."""
    found: list[Element] = []
    faults: list[BaseException] = []

    def work() -> None:
        try:
            found.append(_read_with(_parser(), data))
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if faults:
        raise faults[0]
    return found[0]


def _reason(error: etree.XMLSyntaxError) -> str:
    """Give libxml2's sentence and place without its advice to the programmer."""
    return _ADVICE.sub("", " ".join(error.msg.split()))


def malformed(message: str) -> RpcError:
    """Give the error for a message that cannot be read at all (RFC 6241 appendix A)."""
    return RpcError("malformed-message", message, type="rpc")


def namespace_of(element: Element) -> str:
    """Give the namespace of an element, "" when it has none."""
    return str(element.tag).rpartition("}")[0][1:]


def local_name_of(element: Element) -> str:
    """Give the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text_of(element: Element) -> str:
    """Give the text of an element without white space around it, "" when it has none."""
    return (element.text or "").strip()


def escape_text(text: str) -> str:
    """Write text so that it may stand in an element. Unlike `escape` it leaves line ends as they are."""
    return _FORBIDDEN.sub("\ufffd", text).translate(_TEXT_ESCAPES)


def escape(text: str) -> str:
    """Write text so that it may stand in an element or an attribute, and reads back the same.

    A character that XML cannot carry (a control character from somebody's error text) becomes U+FFFD.
    """
    if text.isalnum():  # as nearly all message-ids
        return text
    return _FORBIDDEN.sub("\ufffd", text).translate(_ESCAPES)
