"""Replaces Asterisk in tests. Of our code it imports only `ari`.

asterisk.py    Asterisk: channels, bridges and playbacks in memory, for whole calls
requests.py    what it is asked for by ARI, and how it refuses
connection.py  a client's connections to it
phones.py      Phone, Caller: they ring, answer, press keys, hold, hang up, vanish
clock.py       an event loop that jumps to its next timer: a conversation of 90 s takes milliseconds
scripted.py    ScriptedTransport: answers each request as a test says; to test one special moment
server.py      fake_asterisk: a server on loopback, for tests of the network code
"""

from ari_app.ari.testing.asterisk import Asterisk
from ari_app.ari.testing.clock import JumpingLoop, moved_clocks
from ari_app.ari.testing.phones import Caller, Phone

__all__ = ["Asterisk", "Caller", "JumpingLoop", "Phone", "moved_clocks"]
