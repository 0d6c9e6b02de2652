"""The NETCONF server: sessions, datastore, store on disk and a device joined.

server        serve_agent(): a device behind a port; Agent: the same without a port
session       AgentSession: one session, from hello to end
operations    the tables of operations, joined: which there are
base_operations  those of RFC 6241, and what each does
call          what an operation gets
parameters    how their parameters are read
service       what all sessions of an agent share
sessions      the open sessions
capabilities  what the hello announces
clock         the time, and calls to come
commit_timer  undoes a confirmed commit that was not confirmed in time
store         FileStore: the configuration on disk
audit         who did what
"""
