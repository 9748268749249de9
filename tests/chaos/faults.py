"""What goes wrong: a table of kinds, each a context in which a part of the stage fails and after which it is mended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass

from sqlalchemy import text

from ari_app.store.db.engine import writing
from tests.chaos import desk, namespace
from tests.chaos.stage import Stage, StageError

DRAIN = "1m"
CROWD = 600
SPOOLED_CALLS = 20_000
SPOOLED_S = 1.5  # a call that the database does not take for a second is in the spool


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault, that lasts a time between the two of `lasts_s`.

    `is_blind`: meanwhile the switch does not see what becomes of calls. `kills`: processes do not survive it;
    `kills_asterisk`: all calls end with it; `crashes_database`: it forgets what it had not written yet.
    """

    name: str
    make: Callable[[Stage], AbstractAsyncContextManager[None]]
    lasts_s: tuple[float, float]
    is_blind: bool = False
    kills: bool = False
    kills_asterisk: bool = False
    crashes_database: bool = False


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that was made. Times are seconds since the epoch: it began, mending began, all was well again."""

    fault: Fault
    at: float
    mended_at: float
    well_at: float

    @property
    def recovery_s(self) -> float:
        """From the beginning of mending until calls are served, saved and watched as before."""
        return self.well_at - self.mended_at


# The desk, at work while calls run


@asynccontextmanager
async def _desk_at_work(stage: Stage) -> AsyncIterator[None]:
    async with desk.at_work(stage.switch):
        yield


@asynccontextmanager
async def _switch_killed_desk_at_work(stage: Stage) -> AsyncIterator[None]:
    """What the desk does while nobody serves calls changes nothing for those that were under way."""
    stage.switch.kill()
    await desk.do(stage.switch, desk.TO_B)
    yield
    await stage.switch.start()
    await desk.do(stage.switch, desk.TO_A)


# The switch


@asynccontextmanager
async def _switch_killed(stage: Stage) -> AsyncIterator[None]:
    stage.switch.kill()
    yield
    await stage.switch.start()


@asynccontextmanager
async def _switch_drained(stage: Stage) -> AsyncIterator[None]:
    """It finishes its calls, and the dialplan serves those that come meanwhile."""
    await _callrace(stage, "switch", "drain", "--timeout", DRAIN)
    yield
    await stage.switch.start()


@asynccontextmanager
async def _switch_handed_over(stage: Stage) -> AsyncIterator[None]:
    """As for an upgrade: it leaves its calls to the next one, and those that come meanwhile wait."""
    await _callrace(stage, "switch", "hand-over")
    yield
    await stage.switch.start()


async def _callrace(stage: Stage, *words: str) -> None:
    ended = await stage.switch.callrace(*words)
    if ended.returncode:
        raise StageError(f"callrace {' '.join(words)} failed: {ended.stderr}")


@asynccontextmanager
async def _switch_frozen(stage: Stage) -> AsyncIterator[None]:
    with _stopped([stage.switch_pid]):
        yield


@asynccontextmanager
async def _switch_killed_with_calls_in_the_spool(stage: Stage) -> AsyncIterator[None]:
    await asyncio.to_thread(stage.postgres.stop)
    await asyncio.sleep(SPOOLED_S)
    stage.switch.kill()
    yield
    await asyncio.to_thread(stage.postgres.start)
    await stage.switch.start()


# Asterisk, and the ways to it


@asynccontextmanager
async def _asterisk_killed(stage: Stage) -> AsyncIterator[None]:
    async with stage.starting:
        stage.lab.kill()
        yield
        await stage.start_asterisk()


@asynccontextmanager
async def _asterisk_frozen(stage: Stage) -> AsyncIterator[None]:
    with _stopped([stage.lab.pid]):
        yield


@asynccontextmanager
async def _ari_reset(stage: Stage) -> AsyncIterator[None]:
    with _reset(stage.switch.settings.ari_port):
        yield


@asynccontextmanager
async def _ari_reset_in_a_crowd(stage: Stage) -> AsyncIterator[None]:
    """Hundreds of conversations lose sight of Asterisk at once; each goes on."""
    async with stage.crowd(CROWD):
        with _reset(stage.switch.settings.ari_port):
            yield
        await stage.wait_until_well()


@asynccontextmanager
async def _ari_stalled(stage: Stage) -> AsyncIterator[None]:
    with _lost("tcp", stage.switch.settings.ari_port):
        yield


@asynccontextmanager
async def _ami_reset(stage: Stage) -> AsyncIterator[None]:
    with _reset(stage.switch.settings.ami_port):
        yield


@asynccontextmanager
async def _agi_killed(stage: Stage) -> AsyncIterator[None]:
    stage.agi.kill()
    yield
    await stage.agi.start()


@asynccontextmanager
async def _agent_unreachable(stage: Stage) -> AsyncIterator[None]:
    """The network to the agent who answers first."""
    with _lost("udp", stage.first_agent_port):
        yield


# The database, and the disk


@asynccontextmanager
async def _database_stopped(stage: Stage) -> AsyncIterator[None]:
    await asyncio.to_thread(stage.postgres.stop)
    yield
    await asyncio.to_thread(stage.postgres.start)


@asynccontextmanager
async def _database_frozen(stage: Stage) -> AsyncIterator[None]:
    with _stopped(stage.postgres_pids()):
        yield


@asynccontextmanager
async def _database_locked(stage: Stage) -> AsyncIterator[None]:
    with writing(stage.switch.engine) as connection:
        connection.execute(text("LOCK TABLE calls, reservations IN ACCESS EXCLUSIVE MODE"))
        yield


@asynccontextmanager
async def _database_read_only(stage: Stage) -> AsyncIterator[None]:
    """As after a failover to a standby that is not promoted yet."""
    await asyncio.to_thread(stage.postgres.make_read_only, True)
    yield
    await asyncio.to_thread(stage.postgres.make_read_only, False)


@asynccontextmanager
async def _database_connections_hung(stage: Stage) -> AsyncIterator[None]:
    """As after a failover: the peer is gone without a word, and whoever connects anew is served."""
    assert stage.postgres.port is not None
    clients = namespace.lose_connections(stage.postgres.port)
    try:
        yield
    finally:
        namespace.find_connections_again(stage.postgres.port, clients)


@asynccontextmanager
async def _switch_killed_an_outage_in_the_spool(stage: Stage) -> AsyncIterator[None]:
    """What a long outage leaves is saved beside the calls that come."""
    stage.switch.kill()
    await asyncio.to_thread(stage.fill_spool, SPOOLED_CALLS)
    yield
    await stage.switch.start()


@asynccontextmanager
async def _disk_full(stage: Stage) -> AsyncIterator[None]:
    with _full(stage):
        yield


@asynccontextmanager
async def _disk_full_and_database_stopped(stage: Stage) -> AsyncIterator[None]:
    """The worst for records: they are in memory alone."""
    with _full(stage):
        async with _database_stopped(stage):
            yield


# What they are made of


@contextmanager
def _stopped(pids: Iterable[int]) -> Iterator[None]:
    pids = list(pids)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def _lost(protocol: str, port: int) -> Iterator[None]:
    namespace.lose(protocol, port)
    try:
        yield
    finally:
        namespace.find_again(protocol, port)


@contextmanager
def _reset(port: int) -> Iterator[None]:
    namespace.reset(port)
    try:
        yield
    finally:
        namespace.accept_again(port)


@contextmanager
def _full(stage: Stage) -> Iterator[None]:
    stage.disk.fill()
    try:
        yield
    finally:
        stage.disk.clear()


def outage(minutes: float) -> Fault:
    """The database is away for so long."""
    lasts_s = (minutes * 60, minutes * 60)
    return Fault(
        f"database stopped for {minutes:g} minutes", _database_stopped, lasts_s, crashes_database=True
    )


FAULTS = (
    Fault("desk at work", _desk_at_work, (4.0, 8.0)),
    Fault("switch killed, desk at work", _switch_killed_desk_at_work, (0.0, 0.5), is_blind=True, kills=True),
    Fault("switch killed (-9)", _switch_killed, (0.1, 3.0), is_blind=True, kills=True),
    Fault("switch drained and started anew", _switch_drained, (0.1, 1.0), kills=True),
    Fault("switch handed over to the next", _switch_handed_over, (0.0, 0.5), is_blind=True, kills=True),
    Fault("switch frozen", _switch_frozen, (0.3, 1.5), is_blind=True),
    Fault("Asterisk killed (-9)", _asterisk_killed, (0.1, 2.0), kills=True, kills_asterisk=True),
    Fault("Asterisk frozen", _asterisk_frozen, (0.3, 1.5), is_blind=True),
    Fault("ARI connections reset", _ari_reset, (0.1, 1.5), is_blind=True),
    Fault(f"{CROWD} talk, ARI connections reset", _ari_reset_in_a_crowd, (0.1, 1.5), is_blind=True),
    Fault("ARI packets lost", _ari_stalled, (0.3, 1.5), is_blind=True),
    Fault("AMI connection reset", _ami_reset, (0.1, 3.0)),
    Fault("AGI server killed (-9)", _agi_killed, (0.1, 3.0), kills=True),
    Fault("agent's network lost", _agent_unreachable, (1.0, 6.0)),
    Fault("database stopped", _database_stopped, (0.5, 6.0), crashes_database=True),
    Fault("database frozen", _database_frozen, (0.5, 6.0)),
    Fault("database locked", _database_locked, (0.5, 6.0)),
    Fault("database read-only", _database_read_only, (0.5, 6.0)),
    Fault("database connections hung", _database_connections_hung, (3.0, 8.0)),
    Fault("disk full", _disk_full, (0.5, 5.0)),
    Fault("disk full, database stopped", _disk_full_and_database_stopped, (0.5, 5.0), crashes_database=True),
    Fault(
        "switch killed, calls in the spool",
        _switch_killed_with_calls_in_the_spool,
        (0.1, 1.0),
        is_blind=True,
        kills=True,
        crashes_database=True,
    ),
    Fault(
        f"switch killed, {SPOOLED_CALLS} calls in the spool",
        _switch_killed_an_outage_in_the_spool,
        (0.0, 0.5),
        is_blind=True,
        kills=True,
    ),
)
