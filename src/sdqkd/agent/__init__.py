"""The NETCONF server: sessions, datastore, store on disk and a device joined.

server           serve_agent(): a device behind a port; Agent: the same without a port
ports            the ways to an agent: SSH, TLS, call home
session          AgentSession: one session, from hello to end
operations       the tables of operations, joined: which there are
base_operations  those of RFC 6241, and what each does
retrieval        what get and get-config give: filters and defaults
nmda             get-data and edit-data: the datastores of NMDA
partial_lock     locks of parts of running
answers          answers that are given again
get_schema       the text of the models
notification_operations  those about subscriptions
call             what an operation gets
parameters       how their parameters are read
service          what all sessions of an agent share
sessions         the open sessions, and what is counted
notifier         tells those who have subscribed what happens
capabilities     what the hello announces
library          the YANG library
monitoring       what an agent reports of itself
reporting        the device with these reports: what a client sees as state
watchdog         what must come in time, or the session ends
clock            the time, and calls to come
commit_timer     undoes a confirmed commit that was not confirmed in time
access           who may do what, where the datastores do not ask themselves
roles            what an agent is delivered with: a group for each role
store            FileStore: the configuration on disk
audit            who did what
"""
