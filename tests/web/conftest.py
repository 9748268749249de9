"""A web server in this process: a marketplace in force, a call, and a client that no network is between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import Engine

from ari_app.desk.site import Site
from ari_app.domain.document.reading import parse
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.market import marketplaces
from ari_app.web.app import make
from ari_app.web.state import Web
from tests.kit.database import migrated
from tests.samples import BEGAN, make_call, settlement
from tests.unit.cli.conftest import MARKETPLACE

URL = "http://127.0.0.1:8480"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with a marketplace in force and one call, `make_call(1)`: charged 42.00 USD, paid 30.00."""
    engine = migrated(tmp_path / "callrace.db")
    marketplaces.apply(engine, parse(MARKETPLACE, "test.yaml"), now=BEGAN)
    calls.save(engine, [settlement(make_call(1))])
    yield engine
    engine.dispose()


@pytest.fixture
def site(tmp_path: Path, engine: Engine) -> Site:
    """The exchange of `engine`, a second after its call has ended; nothing runs there."""
    ended = make_call(1).ended_at
    assert ended is not None
    return Site(Settings.from_env({"CALLRACE_HOME": str(tmp_path)}), engine, lambda: ended + 1000)


@pytest.fixture
def web(site: Site) -> Web:
    """A web server of that exchange."""
    return Web(site)


@pytest.fixture
async def client(web: Web) -> AsyncIterator[AsyncClient]:
    """Asks the web server; an error of ours is an answer, as it is for others."""
    transport = ASGITransport(app=make(web), raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url=URL) as client:
        yield client
