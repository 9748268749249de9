"""The live board: each call through its stages, its race leg by leg, as its party may see it; by Server-Sent Events.

The page has parts; a part is sent when it has changed. How long ago something began is counted in the browser. What is
shown to one party is made once for all who look as it, so many readers cost little. A stream ends after a minute and
the browser begins another, which asks again who they are (https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Hashable, Mapping
from typing import Annotated, Any

import orjson
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends
from starlette.responses import Response, StreamingResponse

from ari_app.access.lens import Lens
from ari_app.domain.reports.now import View
from ari_app.views.board import agent_rows, board_json, is_well, state_text, trunk_lines
from ari_app.web.feed import look_at
from ari_app.web.pages.figures import report
from ari_app.web.pages.tables import Seen
from ari_app.web.pages.viewing import show
from ari_app.web.render import environment
from ari_app.web.state import web_of
from ari_app.web.who import Asked, by
from ari_app.web.zones import today, zone_of

router = APIRouter(include_in_schema=False)

STREAM_S = 60.0
TODAY_S = 5.0
MOST_CALLS = 60
"""More calls are shown in groups, and only the newest of them by themselves."""
PARTS = ("state", "calls", "agents", "trunks", "today")
PHASES = ("race", "ivr", "arriving", "connected", "ending")

Parts = Mapping[str, str]


@router.get("/live")
def board(asked: Annotated[Asked, Depends(by("live.view"))]) -> Response:
    """The board as it is now; it stays so without script."""
    parts = {**parts_of(asked.lens, look_at(asked.site)), "today": today_of(asked)}
    return show(asked, "live.html", parts_now=parts, names=[name for name in PARTS if name in parts])


@router.get("/live/events")
async def events(asked: Annotated[Asked, Depends(by("live.view"))]) -> StreamingResponse:
    """The parts of the board, each when it has changed."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_events(asked), media_type="text/event-stream", headers=headers)


async def _events(asked: Asked) -> AsyncIterator[bytes]:
    web, loop, sent = web_of(asked.request), asyncio.get_running_loop(), dict[str, str]()
    ends, sums_at = loop.time() + STREAM_S, 0.0
    seen = str(asked.lens.party), tuple(sorted(asked.lens.exceptions.sights.items()))
    yield b"retry: 1000\n\n"
    async with web.feed.watched():
        while not web.stopping.is_set() and loop.time() < ends:
            view = await web.feed.next()
            parts = dict(_shared(web.feed.shared, seen, asked.lens, view))
            if loop.time() >= sums_at:
                parts["today"], sums_at = await run_sync(today_of, asked), loop.time() + TODAY_S
            news = [_event(name, html) for name, html in parts.items() if sent.get(name) != html]
            sent |= parts
            if news:
                yield b"".join(news)


def _shared(made: dict[Hashable, Any], seen: Hashable, lens: Lens, view: View) -> Parts:
    if seen not in made:
        made[seen] = parts_of(lens, view)
    found: Parts = made[seen]
    return found


def _event(name: str, html: str) -> bytes:
    return b"event: part\ndata: " + orjson.dumps({"id": f"live-{name}", "html": html}) + b"\n\n"


def parts_of(lens: Lens, view: View) -> Parts:
    """The board's parts as HTML, as a party sees them."""
    told = board_json(view)
    calls = lens.listed("LiveCall", sorted(told["calls"], key=_rank))
    values: dict[str, Any] = {
        "problem": view.problem,
        "phases": Counter(call["phase"] for call in calls),
        "calls": Seen.of(calls if len(calls) <= MOST_CALLS else calls[:20]),
        "groups": _groups(calls) if len(calls) > MOST_CALLS else (),
        "more": max(len(calls) - 20, 0) if len(calls) > MOST_CALLS else 0,
        "order": PHASES,
        "state": None,
    }
    names = ["state", "calls"]
    if view.status is not None and lens.sees("operation"):
        values |= {
            "state": state_text(view),
            "is_well": is_well(view),
            "agents": agent_rows(view.status),
            "trunks": trunk_lines(view.status),
        }
        names += ["agents", "trunks"]
    template = environment().get_template("live_parts.html")
    module = template.make_module(values)
    return {name: str(getattr(module, f"part_{name}")()) for name in names}


def today_of(asked: Asked) -> str:
    """The day's figures so far, of the asker's own calls."""
    zone = zone_of(asked.request)
    day = today(asked.site.now(), zone)
    total = report(asked, "hour", zone, day, day)["total"]
    module = environment().get_template("live_parts.html").make_module({"total": Seen.of(total)})
    return str(module.part_today())  # type: ignore[attr-defined]


def _rank(call: Mapping[str, Any]) -> tuple[int, str]:
    return PHASES.index(call["phase"]), call["started_at"]


def _groups(calls: list[dict[str, Any]]) -> list[tuple[str, Counter[str]]]:
    """How many calls of each campaign are in each phase, the busiest campaign first."""
    found: dict[str, Counter[str]] = {}
    for call in calls:
        found.setdefault(call["campaign"] or call["did"], Counter())[call["phase"]] += 1
    return sorted(found.items(), key=lambda one: -one[1].total())
