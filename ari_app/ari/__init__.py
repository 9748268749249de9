"""An asyncio client of the Asterisk REST Interface (ARI). It knows nothing of campaigns or calls' prices.

client.py      connect, Client: start here
errors.py      all errors, as one tree
events.py      the events that Asterisk sends
inbox.py       one call's queue of events, and which event goes to which queue
resources/     the requests to Asterisk, a module for each resource
settings.py    where Asterisk is
transport.py   what the client needs from the network; implemented in network.py, websocket.py and http.py
testing/      an Asterisk in memory, phones and time for tests
version.py     the oldest Asterisk that can be used
"""
