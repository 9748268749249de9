"""Every page and every answer of the API, as everybody: nothing stands in any of them that they must not see.

The routes are those that there are: a new one is walked as it comes, and one with a parameter that nobody knows here
fails. What must not be there is by topic and party, as `access.sights` has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import Engine
from starlette.routing import Mount, Route

from ari_app.access.parties import Party, party_of
from ari_app.access.sights import TOPICS, WHOLE
from ari_app.desk import people, signin, visibility
from ari_app.desk.signin import Client
from ari_app.desk.site import Site
from ari_app.settings import Settings
from ari_app.store.people import people as store
from ari_app.web.app import make
from ari_app.web.ratelimit import RateLimit
from ari_app.web.state import Web
from tests.kit.canaries import OTHERS, STAFF, WORDS, happen, other_call, own_call
from tests.kit.database import migrated
from tests.web.conftest import URL

PEOPLE = {
    "owner": ("operator", "owner"),
    "finance": ("operator", "finance"),
    "grumbach": ("advertiser:grumbach", "manager"),
    "grumbach's reader": ("advertiser:grumbach", "read_only"),
    "nordlicht": ("publisher:nordlicht", "manager"),
    "nordlicht's reader": ("publisher:nordlicht", "read_only"),
    "agent": ("agent:desk-one", "agent"),
}
OURS, OTHER = own_call().id, other_call().id
NAMES = [
    "grumbach",
    "othercorp",
    "nordlicht",
    "radiox",
    "desk-one",
    "desk-zulu",
    "plumbing",
    "roofing",
    "sms",
    "ztext",
]
VALUES: dict[str, Sequence[str]] = {
    "call_id": [OURS, OTHER],
    "track": ["caller", "agent"],
    "side": ["caller", "agent"],
    "id": ["1", "2"],
    "dispute_id": ["1", "2"],
    "number": ["1", "2"],
    "key": ["first"],
    "account": [
        "advertiser:grumbach",
        "advertiser:othercorp",
        "publisher:nordlicht",
        "publisher:radiox",
        "exchange",
    ],
    "did": ["+18005550101", "+18005550909"],
    "name": NAMES,
    "what": [
        "campaign",
        "publisher",
        "source",
        "advertiser",
        "state",
        "hour",
        "day",
        "destination",
        "disposition",
    ],
}
"""The values of the parameters in routes' addresses: of each kind, of both pairs of parties."""
EVERY_WORD = [word for words in WORDS.values() for word in words]
Walked = dict[str, list[tuple[str, Response]]]
STREAMS = re.compile(r"stream|events")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web server of an exchange in which everything has happened once."""
    folder: Path = tmp_path_factory.mktemp("canaries")
    engine: Engine = migrated(folder / "callrace.db")
    ended = other_call().ended_at
    assert ended is not None
    site = Site(Settings.from_env({"CALLRACE_HOME": str(folder)}), engine, lambda: ended + 60_000)
    happen(site)
    yield Web(site, limit=RateLimit(10**9))
    engine.dispose()


@pytest.fixture
async def client(web: Web) -> Any:
    """A browser without cookies."""
    async with AsyncClient(transport=ASGITransport(app=make(web)), base_url=URL) as client:
        yield client


def sit(client: AsyncClient, site: Site, who: str) -> None:
    """Signs one of PEOPLE in."""
    party, role = PEOPLE[who]
    email = f"{who.replace(' ', '-').replace(chr(39), '')}@people.example".replace("grumbach", "a").replace(
        "nordlicht", "h"
    )
    people.add(site, STAFF, email, "Somebody", party, role)
    row = store.by_email(site.engine, email)
    assert row is not None
    token = signin.begin(site, row, Client("192.0.2.7"), how="test").token
    client.cookies.set("callrace", token, domain="127.0.0.1")


def routes(app: Any, prefix: str = "") -> Iterator[str]:
    """The address of each route that is read, with its parameters in braces."""
    for route in app.routes:
        if isinstance(route, Mount) and hasattr(route.app, "routes"):
            yield from routes(route.app, prefix + route.path)
        elif hasattr(route, "original_router"):  # as FastAPI keeps a router that is included
            yield from routes(route.original_router, prefix)
        elif isinstance(route, Route) and "GET" in (route.methods or ()):
            yield prefix + route.path


def addresses(app: Any) -> Iterator[str]:
    """Each route with each of the values of its parameters."""
    for path in routes(app):
        names = re.findall(r"{(\w+)(?::\w+)?}", path)
        assert set(names) <= set(VALUES), f"{path}: give VALUES for its parameters"
        if not STREAMS.search(path):
            for values in product(*(VALUES[name] for name in names)):
                filled = iter(values)
                yield re.sub(r"{[^}]+}", lambda _: next(filled), path)  # noqa: B023  used at once


@pytest.fixture(scope="module")
def walked() -> Walked:
    """What each was answered, by who they are: the way is long."""
    return {}


async def walk(client: AsyncClient, web: Web, walked: Walked, who: str) -> list[tuple[str, Response]]:
    """What is answered to somebody at each address: as a page, as JSON, and as CSV."""
    if who not in walked:
        if who != "nobody":
            sit(client, web.site, who)
        walked[who] = await _walk(client, web)
    return walked[who]


async def _walk(client: AsyncClient, web: Web) -> list[tuple[str, Response]]:
    guard: Any = make(web)
    walked = []
    for address in addresses(guard._app):
        for accept in ("application/json", "text/csv") if address.startswith("/api/") else ("text/html",):
            walked.append((address, await client.get(address, headers={"accept": accept})))
    return walked


def is_in(word: str, text: str) -> bool:
    """Whether the word stands there by itself: 7.77 does not in 177.77."""
    return re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w])", text) is not None


def told(answers: list[tuple[str, Response]], words: Sequence[str]) -> list[tuple[str, str]]:
    """Where one of these words stands, but for words that are in the address itself."""
    return [
        (address, word)
        for address, answer in answers
        for word in words
        if word in answer.text and is_in(word, answer.text) and not is_in(word, address.replace(":", " "))
    ]


def forbidden(party: Party) -> list[str]:
    """The words that a party must not read anywhere; those of its own name it may."""
    hidden = [
        word for topic, words in WORDS.items() if TOPICS[topic].of(party.kind) is not WHOLE for word in words
    ]
    return [word for word in [*hidden, *OTHERS] if word != party.id]


async def test_there_are_routes_to_walk(web: Web) -> None:
    found = list(addresses(make(web)._app))  # type: ignore[attr-defined]
    assert len(found) > 100
    assert {f"/api/v1/calls/{OURS}", "/api/v1/reports/publisher", "/api/v1/campaigns/roofing"} <= set(found)


@pytest.mark.parametrize("who", ["grumbach", "grumbach's reader", "nordlicht", "nordlicht's reader", "agent"])
async def test_nobody_reads_anywhere_what_is_not_for_them(
    client: AsyncClient, web: Web, walked: Walked, who: str
) -> None:
    words = forbidden(party_of(PEOPLE[who][0]))
    assert told(await walk(client, web, walked, who), words) == []


@pytest.mark.parametrize("who", [*PEOPLE, "nobody"])
async def test_no_page_fails_for_anybody(client: AsyncClient, web: Web, walked: Walked, who: str) -> None:
    answers = await walk(client, web, walked, who)
    assert [
        (address, one.status_code) for address, one in answers if one.status_code in (429, 500, 504)
    ] == []


async def test_the_operators_people_read_each_of_these_words_somewhere(
    client: AsyncClient, web: Web, walked: Walked
) -> None:
    answers = [one.text for _, one in await walk(client, web, walked, "owner") if one.status_code == 200]
    everything = "\n".join(answers)
    assert [word for word in [*EVERY_WORD, *OTHERS] if not is_in(word, everything)] == []


async def test_who_is_not_signed_in_reads_none_of_these_words(
    client: AsyncClient, web: Web, walked: Walked
) -> None:
    assert told(await walk(client, web, walked, "nobody"), [*EVERY_WORD, *OTHERS]) == []


@pytest.mark.parametrize("who", ["grumbach", "grumbach's reader", "nordlicht", "nordlicht's reader"])
async def test_a_party_reads_its_own_call_and_not_anothers(
    client: AsyncClient, web: Web, walked: Walked, who: str
) -> None:
    answers = await walk(client, web, walked, who)
    own = {
        address: one.status_code
        for address, one in answers
        if OURS in address and "/recording" not in address
    }
    other = {address: one.status_code for address, one in answers if OTHER in address}
    assert len(own) >= 2 and set(own.values()) == {200}
    assert len(other) >= 2 and set(other.values()) <= {303, 403, 404}


@pytest.mark.parametrize("who", ["grumbach", "nordlicht"])
@pytest.mark.parametrize("sight", ["hidden", "whole"])
async def test_no_page_fails_for_who_sees_hardly_anything_or_everything(
    client: AsyncClient, web: Web, who: str, sight: str
) -> None:
    party, topics = PEOPLE[who][0], [topic for topic in TOPICS if topic != "facts"]
    sit(client, web.site, who)
    for topic in topics:
        visibility.set_(web.site, STAFF, party, topic, sight)
    try:
        answers = await _walk(client, web)
    finally:
        for topic in topics:
            visibility.set_(web.site, STAFF, party, topic, None)
    assert [(address, one.status_code) for address, one in answers if one.status_code in (500, 504)] == []
    hidden = [word for words in WORDS.values() for word in words if word != party_of(party).id]
    if sight == "hidden":
        assert told(answers, [*hidden, *OTHERS]) == []


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("grumbach", 200), ("grumbach's reader", 200), ("nordlicht", 404), ("agent", 403)],
)
async def test_a_recording_is_for_who_may_hear_it(
    client: AsyncClient, web: Web, who: str, status: int
) -> None:
    sit(client, web.site, who)
    for track in ("caller", "agent"):
        assert (await client.get(f"/api/v1/calls/{OURS}/recording/{track}")).status_code == status
        other = await client.get(f"/api/v1/calls/{OTHER}/recording/{track}")
        assert other.status_code == (200 if who == "owner" else 403 if who == "agent" else 404)
