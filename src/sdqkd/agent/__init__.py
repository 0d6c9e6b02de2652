"""The NETCONF server: sessions, datastore, store on disk and a device joined."""
