"""Which configuration is true: running, candidate, startup, locks, edit-config, commit. Time is an argument.

datastores  Datastores: the operations of RFC 6241 on running, candidate and startup
boot        boot(): what running is when an agent starts
confirmed   the commit that waits to be confirmed, and who has a say in it
locks       who holds which datastore
nacm        what one user may do (RFC 8341); nacm_rules, nacm_places, nacm_read and nacm_write are its parts
part_edits  edit-config that goes on after an error
ports       Store and Hardware: what is needed from outside; Changed: what is told
"""
