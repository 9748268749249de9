"""An Asterisk on loopback that answers as a test says."""

import pytest

from tests.unit.ari.server import fake_asterisk


@pytest.fixture
async def server():
    async with fake_asterisk() as server:
        yield server
