"""An asyncio client of the Asterisk REST Interface (ARI). Has never heard of a campaign.

client.py      connect, Client: start here
errors.py      what can go wrong, as one tree
events.py      what Asterisk tells us
inbox.py       one call's queue of events, and who gets which
resources/     what can be asked of Asterisk, a module for each resource
settings.py    where Asterisk is
transport.py   what the client needs from the network; network.py, websocket.py and http.py are it
testing/      an Asterisk in memory, phones and time for tests
version.py     which Asterisk is new enough
"""
