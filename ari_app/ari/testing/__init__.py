"""What stands in for an Asterisk in tests. Imports nothing of ours but `ari`.

asterisk.py    Asterisk: channels, bridges and playbacks in memory, for whole calls
connection.py  a client's connections to it
phones.py      Phone, Caller: who ring, answer, press keys, hold, hang up, vanish
clock.py       a loop that jumps to its next timer: a conversation of 90 s takes milliseconds
scripted.py    ScriptedTransport: answers each request as a test says; for one awkward moment
server.py      fake_asterisk: a server on loopback, for the network's own tests
"""

from ari_app.ari.testing.asterisk import Asterisk
from ari_app.ari.testing.clock import JumpingLoop, moved_clocks
from ari_app.ari.testing.phones import Caller, Phone

__all__ = ["Asterisk", "Caller", "JumpingLoop", "Phone", "moved_clocks"]
