"""The NETCONF protocol without I/O and without a clock. The payload is opaque: this room never imports `schema`."""
