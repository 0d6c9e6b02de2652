"""The only sockets of NETCONF, server and client: SSH, and an in-memory pair for tests.

links       Link and Receiver: what a transport and its users know of each other
ssh_server  listen
ssh_client  connect
ssh_link    what both share: algorithms, a channel as a Link
keys        key pairs, host keys, fingerprints
memory      pair: two receivers joined without sockets
"""
