"""The only sockets of NETCONF, server and client: SSH, TLS, call home, and an in-memory pair for tests.

links          Link and Receiver: what a transport and its users know of each other
memory         pair: two receivers joined without sockets
socket_link    what the links over sockets do alike: join writes, hold back, give up
admission      who may come in and how many: limits, without sockets
door           a listening address that asks admission
keys           SSH's key pairs, host keys, fingerprints
ssh_server     listen
ssh_service    what an SSH server does on a connection
ssh_client     connect
ssh_link       algorithms, an SSH channel as a Link
ssh_lean       what asyncssh does and NETCONF does not need
ssh_packets    the short way of packets with data, past asyncssh's dozen calls
tls_server     listen
tls_service    what a TLS server does on a connection
tls_client     connect
tls_link       the handshake, a TLS connection as a Link
tls_context    versions, ciphers, files of certificates
tls_faults     OpenSSL's errors in words
cert_names     which user a certificate stands for
"""
