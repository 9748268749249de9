"""What tests of the network have: the server, a request, and a transport that is open."""

from ari_app.ari.network import NetworkTransport
from ari_app.ari.testing.server import Answer, Connection, FakeAsterisk, fake_asterisk, response
from ari_app.ari.transport import Request

__all__ = ["PING", "Answer", "Connection", "FakeAsterisk", "fake_asterisk", "opened", "response"]

PING = Request("GET", "asterisk/ping")


async def opened(settings):
    transport = NetworkTransport(settings)
    await transport.open(lambda: None)
    return transport
