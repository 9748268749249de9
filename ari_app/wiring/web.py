"""The web server: the program that portals and API are asked from. No call passes it."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
import uvloop

from ari_app.desk.site import Site
from ari_app.serving.running import only
from ari_app.settings import Settings
from ari_app.store.db.schema import opened
from ari_app.web import limits
from ari_app.web.app import make
from ari_app.web.protocol import Patient
from ari_app.web.state import Web

log = logging.getLogger(__name__)

DATABASE_S = 30.0  # a report of years
STOP_S = 5.0  # for answers under way, once told to stop


class CannotListen(Exception):
    """The web server cannot listen on its address; the message says which, and why."""


def run(settings: Settings) -> None:
    """Serves HTTP until SIGTERM or SIGINT. Raises CannotListen, StoreError, and RunsAlready when another one runs."""
    with only(settings, "web"):
        _allow_many_clients()
        engine = opened(settings.database_url, is_serving=True, answer_s=DATABASE_S)
        web = Web(Site(settings, engine, _now_ms))
        with _listening(settings) as listener:
            log.info("serving %s", settings.web.public_url)
            uvloop.run(_Server(web).serve([listener]))
        engine.dispose()


def _allow_many_clients() -> None:
    """As many open files as this process may have: each client is one, and slow ones stay for a while."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Server(uvicorn.Server):
    """uvicorn's server, which ends by itself when told to, and tells what streams."""

    def __init__(self, web: Web) -> None:
        proxies = web.settings.proxies
        super().__init__(
            uvicorn.Config(
                make(web),
                http=Patient,
                ws="none",
                loop="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
                h11_max_incomplete_event_size=limits.HEADER_BYTES,
                timeout_keep_alive=int(limits.HEADER_S),
                timeout_graceful_shutdown=int(STOP_S),
            )
        )
        self._web = web

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Has the loop hear the signals: uvicorn's own way would end the process by them in the end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begins to end; a second Ctrl-C does not wait for answers under way."""
        self._web.stopping.set()
        super().handle_exit(sig, frame)


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """A socket that takes connections. Raises CannotListen."""
    where = (settings.web.address, settings.web.port)
    family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    try:
        listener = socket.create_server(where, family=family, backlog=2048)
    except OSError as error:
        raise CannotListen(f"cannot serve on {where[0]}:{where[1]} ({error.strerror})") from error
    with listener:
        yield listener


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
