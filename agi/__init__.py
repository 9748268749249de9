"""FastAGI services for the dialplan, answered from memory. They need no ARI application.

`server` holds the connections, `conversation` speaks the protocol (with pyst2), `services` decides the answers,
`outcomes` saves the calls that the dialplan has served.
"""
