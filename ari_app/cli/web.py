"""`callrace web`: the program that portals and API are asked from."""

from __future__ import annotations

import click

from ari_app.cli.common import Failed
from ari_app.logs import log_to_stderr
from ari_app.settings import Settings


@click.group()
def web() -> None:
    """Serve portals and API over HTTP."""


@web.command()
def run() -> None:
    """Serve portals and API until told to stop (SIGTERM, or Ctrl-C). No call passes this program.

    \b
    It listens on CALLRACE_WEB_ADDRESS (127.0.0.1 unless set) and CALLRACE_WEB_PORT (8480):
      /           the portals
      /api/v1     the API: its description is /api/v1/openapi.json
      /healthz    200 while the process lives

    Put a reverse proxy with TLS in front of it for anybody beyond this machine: CALLRACE_WEB_URL is the address that
    people use (https://calls.example), CALLRACE_WEB_PROXIES the proxies' addresses.
    """
    settings = Settings.from_env()
    log_to_stderr(settings.log_format)
    from ari_app.wiring import web as wiring  # imported here, as other commands need not load it

    try:
        wiring.run(settings)
    except wiring.CannotListen as error:
        raise Failed(f"{error}; choose CALLRACE_WEB_ADDRESS and CALLRACE_WEB_PORT") from error
