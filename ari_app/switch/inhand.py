"""The calls under way in a switch, each in its own task, and the tasks for which no call waits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from ari_app.ari.client import Client
from ari_app.store.calls.calls import Settlement
from ari_app.switch.bystander import Bystander, Strangers
from ari_app.switch.session import Session

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 2_000


class InHand:
    """`sessions` are served, `bystanders` are only watched; strangers are the parties of unknown calls."""

    def __init__(self) -> None:
        self.sessions: dict[asyncio.Task[Settlement], Session] = {}
        self.bystanders: dict[asyncio.Task[None], Bystander] = {}
        self.is_draining = False
        self._strangers: set[asyncio.Task[None]] = set()
        self._chores: set[asyncio.Task[None]] = set()
        self._over: deque[str] = deque(maxlen=CALLS_AT_ONCE)  # the channels of the calls that ended last
        self._drained = asyncio.Event()

    def calls(self) -> list[Session | Bystander]:
        """The calls under way, including those that are only watched."""
        return [*self.sessions.values(), *self.bystanders.values()]

    def knows(self, channel_id: str) -> bool:
        """Whether this switch has, or had, the channel's call: a call's inbox closes just before its session ends."""
        under_way = (session.call.channel_id for session in self.sessions.values())
        return channel_id in self._over or channel_id in under_way

    def over(self, channel_id: str) -> None:
        """The call of this channel is over."""
        self._over.append(channel_id)

    # Each in its own task

    def do(self, chore: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts a task for which no call waits; `end_all` awaits it."""
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    def serve(
        self,
        session: Session,
        work: Coroutine[Any, Any, Settlement],
        on_end: Callable[[Session, asyncio.Task[Settlement]], None],
    ) -> None:
        """Serves a call in a task; `on_end` is called when the task has ended or failed."""

        def ended(task: asyncio.Task[Settlement]) -> None:
            self.over(self.sessions.pop(task).call.channel_id)
            try:
                on_end(session, task)
            finally:
                self._look_whether_drained()

        task = asyncio.create_task(work, name=f"call-{session.record.id}")
        self.sessions[task] = session
        task.add_done_callback(ended)

    def watch(self, bystander: Bystander) -> None:
        """Watches a call that cannot be served, in a task."""

        def left(task: asyncio.Task[None]) -> None:
            self.over(self.bystanders.pop(task).call.channel_id)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("call %s, set aside, is watched no more", bystander.record.id, exc_info=error)
            self._look_whether_drained()

        task = asyncio.create_task(bystander.run(), name=f"aside-{bystander.record.id}")
        self.bystanders[task] = bystander
        task.add_done_callback(left)

    def watch_strangers(self, client: Client, bridge: str, members: frozenset[str]) -> None:
        """Watches the parties in the bridge of an unknown call, in a task."""

        def parted(task: asyncio.Task[None]) -> None:
            self._strangers.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("who talks in a call that nobody knows is watched no more", exc_info=error)
            self._look_whether_drained()

        task = asyncio.create_task(Strangers(client, bridge, members).run(), name="strangers")
        self._strangers.add(task)
        task.add_done_callback(parted)

    # The end of all

    def take_no_more(self) -> None:
        """From now on no call is added."""
        if not self.is_draining:
            log.info("draining: no new calls; %d are under way", len(self.calls()))
        self.is_draining = True
        self._look_whether_drained()

    async def drained(self) -> None:
        """Waits until no call is taken any more and the last one is over."""
        await self._drained.wait()

    def _look_whether_drained(self) -> None:
        if self.is_draining and not self.calls() and not self._strangers:
            self._drained.set()

    def end_all(self) -> list[asyncio.Task[Any]]:
        """Ends every call; returns the tasks to wait for."""
        tasks: list[asyncio.Task[Any]] = [*self.sessions, *self.bystanders, *self._strangers]
        for task in tasks:
            task.cancel()
        return [*tasks, *self._chores]  # so that a call that came last is handed back before the switch ends
