"""Which configuration is true: running, candidate, locks, edit-config, commit. Time is an argument.

datastores  Datastores: the operations of RFC 6241 on running and candidate
boot        boot(): what running is when an agent starts
locks       who holds which datastore
part_edits  edit-config that goes on after an error
ports       Store and Hardware: what is needed from outside
"""
