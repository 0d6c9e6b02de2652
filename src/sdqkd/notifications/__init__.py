"""Telling clients what happened: streams with replay, and the subscriptions of RFC 5277, 8639 and 8641.

No sockets, no clock (`now` is an aware datetime), no timers: what has a time of its own says when it is due.
"""
