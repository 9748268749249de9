"""`callrace agi run`, where it cannot."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import create_engine

from agi.outcomes import Outcomes
from ari_app.cli.agi import _serve
from ari_app.cli.common import Refused
from ari_app.domain.geo import Geography
from ari_app.switch.market import Market


async def test_a_port_that_is_taken_is_told_of_in_one_line() -> None:
    engine = create_engine("sqlite://")
    market = Market(engine, Geography())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"cannot serve on 127.0.0.1:{port} .*; choose CALLRACE_AGI_PORT"):
            await _serve(market, Outcomes(engine, Geography(), []), port)
