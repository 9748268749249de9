"""What all handlers of one web server share, and how a handler comes by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.responses import Response

from ari_app.desk.site import Site
from ari_app.settings import WebSettings
from ari_app.web.feed import Feed, look_at
from ari_app.web.problems import Problem
from ari_app.web.ratelimit import RateLimit

ErrorPage = Callable[[Request, Problem], Response]


@dataclass(slots=True)
class Web:
    """One web server: its exchange, and where it is reached.

    `stopping` is set when the server is told to stop: what streams ends then. `limit` counts what each asks.
    `error_page` shows a problem to people; None: they get it as programs do. `feed` is for the live board.
    """

    site: Site
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    limit: RateLimit = field(default_factory=RateLimit)
    error_page: ErrorPage | None = None
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = Feed(lambda: look_at(self.site))

    @property
    def settings(self) -> WebSettings:
        """The web server's own settings."""
        return self.site.settings.web

    @property
    def is_https(self) -> bool:
        """Whether people reach us by HTTPS: then cookies are for that alone."""
        return self.settings.public_url.startswith("https:")

    @property
    def origins(self) -> frozenset[str]:
        """What browsers send as `Origin` from our pages."""
        return frozenset({self.settings.public_url, *(f"http://{host}" for host in self._loopback)})

    @property
    def hosts(self) -> frozenset[str]:
        """What clients send as `Host`."""
        return frozenset({urlsplit(self.settings.public_url).netloc, *self._loopback})

    @property
    def _loopback(self) -> tuple[str, ...]:
        """Ourselves on this machine; for nobody else once a public address is set."""
        if self.settings.url is not None:
            return ()
        return tuple(f"{name}:{self.settings.port}" for name in ("127.0.0.1", "localhost", "[::1]"))


def web_of(request: Request) -> Web:
    """The web server that a request came to."""
    found: Web = request.app.state.web
    return found


def site_of(request: Request) -> Site:
    """The exchange that a request is about."""
    return web_of(request).site


SiteOf = Annotated[Site, Depends(site_of)]
"""A handler's parameter: the exchange, for use cases."""
