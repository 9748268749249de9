"""A web server in this process: a marketplace in force, a call, and a client that no network is between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import Engine

from ari_app.access.deeds import SCOPES
from ari_app.desk import keys
from ari_app.desk.site import Site
from ari_app.domain.document.reading import parse
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.market import marketplaces
from ari_app.store.money import audit
from ari_app.web.app import make
from ari_app.web.state import Web
from tests.kit.database import migrated
from tests.samples import ADA, BEGAN, make_call, settlement
from tests.unit.cli.conftest import MARKETPLACE, new_home

URL = "http://127.0.0.1:8480"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of a home of its own, in which nothing runs."""
    with new_home(monkeypatch) as settings:
        yield settings


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """A database with a marketplace in force and one call, `make_call(1)`: charged 42.00 USD, paid 30.00."""
    engine = migrated(settings.home / "callrace.db")
    marketplaces.apply(engine, parse(MARKETPLACE, "test.yaml"), now=BEGAN)
    calls.save(engine, [settlement(make_call(1))])
    yield engine
    assert audit.prove(engine, BEGAN).findings == []
    engine.dispose()


@pytest.fixture
def site(settings: Settings, engine: Engine) -> Site:
    """The exchange of `engine`, a second after its call has ended."""
    ended = make_call(1).ended_at
    assert ended is not None
    return Site(settings, engine, lambda: ended + 1000)


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


Client = Callable[..., AsyncClient]


@pytest.fixture
async def asking(web: Web) -> AsyncIterator[Client]:
    """Makes clients of a party, each with a key of these scopes; all scopes unless given."""
    app, clients = make(web), list[AsyncClient]()

    def ask(party: str = "operator", *scopes: str) -> AsyncClient:
        chosen = scopes or tuple(sorted(SCOPES))
        _, secret = keys.create(web.site, ADA, party=party, purpose="a test", scopes=chosen)
        transport = ASGITransport(app=app, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {secret}"}
        clients.append(AsyncClient(transport=transport, base_url=f"{URL}/api/v1", headers=headers))
        return clients[-1]

    yield ask
    for client in clients:
        await client.aclose()


_names = count(1)


async def post(client: AsyncClient, path: str, body: Any = None, name: str | None = None) -> Response:
    """Posts under a name; a new one unless given."""
    headers = {"idempotency-key": name or f"request {next(_names)}"}
    return await client.post(path, json=body, headers=headers)
