"""The NETCONF protocol without I/O and without a clock.

The payload is opaque: this room never imports `schema`.

session     ServerSession, ClientSession: bytes in, events out; the table of states
events      what they tell
hello       capabilities and session-id
messages    <rpc>, <rpc-reply>
rpc_error   <rpc-error>; error_path: the instance paths in it
framing     RFC 6242: where messages begin and end
xml         safe parsing, escaping
names       which names a peer has made up
"""
