"""What live tests stand on: a private Asterisk, SIP callers and agents, and a look at what they left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ari_app.lab.sipp import Agent, Behaviour, Caller, Callers, Step, Written
from ari_app.settings import Settings
from tests.kit.interop import PageWriter
from tests.live.exchange import DID, Exchange
from tests.live.lab import Lab, private
from tests.live.process import SwitchProcess, switch_process
from tests.live.secure import secure


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this directory is a live one."""
    for item in items:
        if "live" in item.path.parts:
            item.add_marker(pytest.mark.live)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--write-interop`: see `make interop`."""
    parser.addoption("--write-interop", action="store_true", help="write docs/interop.md if all is green")


def pytest_configure(config: pytest.Config) -> None:
    """Makes the writer, where it is asked for."""
    if config.getoption("--write-interop", default=False):
        config.pluginmanager.register(PageWriter())


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An Asterisk of the tests' own. Where it cannot start, the tests fail; they are never skipped."""
    lab = private(tmp_path_factory.mktemp("lab"))
    started = lab.run("up")
    if started.returncode:
        lab.run("down")
        pytest.fail(f"Asterisk did not start:\n{started.stderr[-3000:]}", pytrace=False)
    yield lab
    lab.run("down")


@pytest.fixture(scope="session")
def secure_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An Asterisk with a certificate; see `tests.live.secure`. A module that wants it has it as its `lab`."""
    lab = secure(tmp_path_factory.mktemp("secure"))
    started = lab.run("up")
    if started.returncode:
        lab.run("down")
        pytest.fail(f"Asterisk did not start:\n{started.stderr[-3000:]}", pytrace=False)
    yield lab
    lab.run("down")


@pytest.fixture
async def parties() -> AsyncIterator[AsyncExitStack]:
    """Holds this test's callers and agents; all end with it, in the reverse order."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def agent(parties: AsyncExitStack) -> Callable[..., Awaitable[Agent]]:
    """Makes agents: `await agent(accepts(after_ms=2000), tone_hz=700)`. Their ports are free ones."""
    made = 0

    async def make(behaviour: Behaviour, tone_hz: int = 800) -> Agent:
        nonlocal made
        made += 1
        return await parties.enter_async_context(Agent(f"agent-{made}", behaviour, tone_hz=tone_hz))

    return make


@pytest.fixture
def caller(lab: Lab, parties: AsyncExitStack) -> Callable[..., Awaitable[Caller]]:
    """Makes callers of the lab's Asterisk: `await caller("+18005550101", "+12125550142", [press("1")])`."""

    async def make(did: str, ani: str | None = "+12125550142", plan: Sequence[Step] = ()) -> Caller:
        return await parties.enter_async_context(Caller(did, ani, plan, to=lab.sip))

    return make


@pytest.fixture
async def nothing_left(lab: Lab) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Waits until Asterisk has no channel and no bridge: `await nothing_left()`."""

    async def check(timeout_s: float = 5.0) -> None:
        kinds, left = ("channels", "bridges"), []
        try:
            async with asyncio.timeout(timeout_s):
                while left := [one["id"] for kind in kinds for one in await lab.ask("GET", kind)]:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"left in Asterisk after {timeout_s} s: {', '.join(left)}")

    yield check
    await lab.clear()


@pytest.fixture
async def exchange(lab: Lab, tmp_path: Path) -> AsyncIterator[Exchange]:
    """A switch connected to the lab, with a database of its own; `apply` gives it a marketplace.

    After each test neither Asterisk nor the switch may hold anything of its calls, and its ledger is in order.
    """
    exchange = Exchange(Settings.from_env(lab.environment), tmp_path)
    await exchange.start()
    try:
        yield exchange
        await exchange.nothing_left()
        assert exchange.ledger_findings() == []
    finally:
        await exchange.stop()
        await lab.clear()


@pytest.fixture
def calling(lab: Lab) -> Callable[..., Caller]:
    """A caller of the exchange: `async with calling(plan=[press("1")]) as who:`."""

    def make(
        did: str = DID,
        ani: str | None = "+12125550142",
        plan: Sequence[Step] = (),
        invite_headers: Sequence[str] = (),
        written: Written | None = None,
    ) -> Caller:
        return Caller(did, ani, plan, to=lab.sip, written=written or Written(headers=invite_headers))

    return make


@pytest.fixture
def crowd(lab: Lab) -> Callable[..., Callers]:
    """Many callers at once, each with a number of its own: `async with crowd(20, plan=[...]):`."""

    def make(size: int, plan: Sequence[Step] = ()) -> Callers:
        return Callers(DID, [f"+1212555{n:04d}" for n in range(size)], plan, to=lab.sip, rate=size)

    return make


@pytest.fixture
async def switch(
    lab: Lab, tmp_path: Path, nothing_left: Callable[..., Awaitable[None]]
) -> AsyncIterator[SwitchProcess]:
    """A switch process. After each test nothing of its calls is left anywhere."""
    async with switch_process(lab, tmp_path) as switch:
        yield switch
        await nothing_left()
        assert switch.ask("/status")["capacity_in_use"] == {}
        await switch.nothing_written()
        assert switch.ledger_findings() == []
