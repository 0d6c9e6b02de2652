"""The only sockets of NETCONF, server and client: SSH, and an in-memory pair for tests."""
