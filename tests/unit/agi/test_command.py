"""`callrace agi run`, where it cannot."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from agi.outcomes import Outcomes
from ari_app.domain.calls.geo import Geography
from ari_app.serving.caps import Caps
from ari_app.serving.market import Market
from ari_app.store.db.engine import open_engine
from ari_app.wiring.agi import CannotListen, _serve


async def _no_channels() -> set[str]:
    return set()


async def test_a_port_that_is_taken_is_told_of_in_one_line(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/callrace.db")
    market = Market(engine, Geography())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"cannot serve on 127.0.0.1:{port} .*"):
            outcomes = Outcomes(engine, Geography(), [tmp_path / "fallback.csv"], _no_channels)
            await _serve(market, Caps(engine), outcomes, port)
