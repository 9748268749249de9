"""Lines that the dialplan has written, and who reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import Engine

from agi.outcomes import Outcomes
from ari_app.domain.calls.record import CallRecord
from ari_app.store.calls import calls
from tests.unit.agi.test_services import ON_ANSWER
from tests.unit.cli.conftest import GEOGRAPHY

BEGAN = 1_763_992_800_000  # 2025-11-24T14:00:00Z, a Monday morning in New York


def line(n: int = 0, status: str = "ANSWER", talked_ms: int = 95_000, did: str = "+18005550101") -> list[str]:
    """The fields of the n-th call, all from one caller."""
    began = BEGAN + n * 1_000_000
    peer = "agents/sip:agent-1@127.0.0.1:5071" if status == "ANSWER" else ""
    fields = [
        began,
        f"{began}.{n}",
        did,
        "+12125550142",
        "",
        "agent-1&agent-2" if status else "",
        status,
        peer,
    ]
    return [*map(str, fields), str(talked_ms), str(began + 100_000)]


async def no_channels() -> set[str]:
    return set()


def looking(engine: Engine, folder: Path, *there: str) -> Outcomes:
    """Reads the folder's file, beside an Asterisk in which these channels are."""

    async def channels() -> set[str]:
        return set(there)

    return Outcomes(engine, GEOGRAPHY, [folder / "fallback.csv"], channels)


def saved(outcomes: Outcomes, engine: Engine) -> list[CallRecord]:
    """The records after two looks: one puts the file aside, the next reads it."""
    for _ in range(2):
        for file in outcomes._files:
            outcomes._save_aside(file)
    return list(calls.every(engine))


INVITE = "request=8005550101&channel=PJSIP%2Fcarrier-1&From=(((%3Csip%3A212-555-0142%40h%3E&Diversion=(((x"


def begun(file: Path, n: int = 0) -> str:
    """The dialplan tells that the n-th call has begun; its unique id."""
    fields = line(n)
    with file.open("a") as lines:
        lines.write(",".join([*fields[:4], "", "", "", "", "", "", ""]) + "\n")
    return fields[1]


async def looked(outcomes: Outcomes, times: int) -> None:
    for _ in range(times):
        outcomes._save_aside(outcomes._files[0])
        await outcomes._close_cut_off()


ROOFING = ON_ANSWER.replace("plumbing", "roofing").replace('"42.00"', '"9.00"').replace("42.00", "9.00")


def by_others(n: int) -> list[str]:
    """The fields of the n-th call, each of somebody else."""
    fields = line(n)
    return [*fields[:3], f"+1212555{n:04d}", *fields[4:]]


def written(file: Path, lines: Iterable[Sequence[str]]) -> None:
    """What the dialplan has told."""
    file.write_text("".join(",".join(fields) + "\n" for fields in lines))
