"""The names that tests of the network know the server by."""

from ari_app.ari.testing.server import Answer, Connection, FakeAsterisk, fake_asterisk, response

__all__ = ["Answer", "Connection", "FakeAsterisk", "fake_asterisk", "response"]
