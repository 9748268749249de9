"""FastAGI services for the dialplan, answered from memory, with no ARI application connected.

`server` holds the connections, `conversation` speaks the protocol (with pyst2), `services` decides what
is answered, `market` keeps the marketplace in force at hand.
"""
