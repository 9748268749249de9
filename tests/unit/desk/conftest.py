"""What use cases act on: a migrated database with a marketplace in force, a home, and somebody who acts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.access.actor import Actor, operator
from ari_app.desk.site import Site
from ari_app.domain.document.reading import parse
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.market import marketplaces
from tests.kit.database import migrated
from tests.samples import BEGAN, make_call, settlement
from tests.unit.cli.conftest import MARKETPLACE

ADA = operator("ada")


@pytest.fixture
def ada() -> Actor:
    """Somebody of the exchange."""
    return ADA


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a new home, in which nothing runs."""
    return Settings.from_env({"CALLRACE_HOME": str(tmp_path)})


@pytest.fixture
def empty(settings: Settings) -> Iterator[Engine]:
    """A database in which no marketplace is in force."""
    engine = migrated(settings.home / "callrace.db")
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty: Engine) -> Engine:
    """A database with a marketplace in force and one call, `make_call(1)`: charged 42.00 USD, paid 30.00."""
    marketplaces.apply(empty, parse(MARKETPLACE, "test.yaml"), now=BEGAN)
    calls.save(empty, [settlement(make_call(1))])
    return empty


def at(site: Site, now: int) -> Site:
    """The same exchange at another moment (ms)."""
    return replace(site, now=lambda: now)


@pytest.fixture
def site(settings: Settings, engine: Engine) -> Site:
    """The exchange of `engine`, a second after its call has ended."""
    ended = make_call(1).ended_at
    assert ended is not None
    return Site(settings, engine, lambda: ended + 1000)


@pytest.fixture
def new_site(settings: Settings, empty: Engine) -> Site:
    """An exchange in which no marketplace is in force."""
    return Site(settings, empty, lambda: BEGAN)
