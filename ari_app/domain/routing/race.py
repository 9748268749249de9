"""The race: one call is offered to many agents at once, and the first acceptance wins.

A pure state machine: `handle(event, now)` takes an event and returns the commands that follow. It
reads no clock, starts no timer and does no I/O; `deadline()` says when it needs the next
`TimeUp`. Times are milliseconds; all calls of one race must use the same clock.

A leg's life (`cancelling` is a state of its own, because an answer can cross a cancel):

    queued -> dialling -> ringing -> answered -> won -> bridging -> connected
       every one of these            -> cancelling -> ended

A race takes a bounded time:

- A phone rings for `ring_timeout_ms` at most.
- The race waits for a destination at capacity as long as that, once.
- `max_legs` phones ring at the same time, while that many are ready to be rung.
- So a wave of n destinations, none of which accepts, ends after (n / max_legs + 2) times `ring_timeout_ms`.
- An agent who may have answered unseen is rung again, `reoffer_times` at most.
- A call that its winner gave back is offered again, `reoffer_times` at most.

A destination is never left out because it had to wait for its turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ari_app.domain.calls.record import LegOutcome, LegRecord
from ari_app.domain.routing.legs import (
    Award,
    Bridge,
    CallerHungUp,
    Exhausted,
    Freed,
    HangUp,
    Hush,
    Leg,
    LegAnswered,
    LegBlocked,
    LegBridged,
    LegDigit,
    LegEnded,
    LegRinging,
    LegSoundless,
    Phase,
    Prompt,
    PromptDone,
    RaceCommand,
    RaceEvent,
    Reoffer,
    Ring,
    SayTaken,
    TimeUp,
    outcome_of,
)
from ari_app.domain.routing.ringqueue import RingQueue

ACCEPT_DIGIT = "1"
DECLINE_DIGIT = "2"
DIGIT_WAIT_MS = 4_000
PROMPT_LOOPS = 3
PROMPT_STOP_MS = 1_000


@dataclass(frozen=True, slots=True)
class WavePlan:
    """Destinations to ring together, best first.

    `after_ms` counts from the start of the race; None: the wave begins when the wave before is exhausted."""

    destinations: tuple[str, ...]
    after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RacePlan:
    """The rules of one race, fixed before it starts."""

    waves: tuple[WavePlan, ...]
    accept: Literal["press-1", "answer"] = "press-1"
    ring_timeout_ms: int = 30_000
    max_legs: int = 10
    reoffer_within_ms: int = 10_000
    reoffer_times: int = 2


class Race:
    """The race for one call. Create it, call `start`, then give every event to `handle` until the race is over.

    `winner` is set in the same call of `handle` that gets the first acceptance. `handle` awaits nothing, so no
    second acceptance can come in between.
    """

    def __init__(self, plan: RacePlan) -> None:
        self.plan = plan
        self.legs: list[Leg] = []
        self.winner: Leg | None = None
        self.over = False
        self._round = 0
        self._won_at = 0
        self._started_at = 0
        self._waves: deque[tuple[int, WavePlan]] = deque()  # not opened yet
        self._queue = RingQueue(plan.ring_timeout_ms)
        self._active: dict[int, Leg] = {}  # dialling, ringing or answered: `max_legs` at most
        self._there: set[str] = set()  # destinations that were dialled and whose channels have not ended

    def start(self, now: int) -> list[RaceCommand]:
        """Opens the first wave."""
        return self._begin(now, lambda destination: True)

    def deadline(self) -> int | None:
        """When the race needs the next `TimeUp` (ms), or None."""
        if self.over:
            return None
        if self.winner:
            return self.winner.deadline if self.winner.phase is Phase.WON else None
        times = [leg.due for leg in self._active.values()]
        if (waiting_until := self._queue.deadline()) is not None:
            times.append(waiting_until)
        if self._waves and self._waves[0][1].after_ms is not None:
            times.append(self._started_at + self._waves[0][1].after_ms)
        return min(times, default=None)

    def waits_for(self, destination: str) -> bool:
        """Whether the race needs `Freed` when this destination is free."""
        return not (self.over or self.winner) and self._queue.is_aside(destination)

    def handle(self, event: RaceEvent, now: int) -> list[RaceCommand]:
        """The commands that follow from `event`. An event that has no row for the leg's phase does nothing."""
        match event:
            case CallerHungUp():
                return self._caller_hung_up()
            case Freed(destination):
                return self._freed(destination, now)
            case TimeUp():
                return self._time_up(now)
            case _:
                leg = self.legs[event.leg]
                reaction = _REACTIONS.get((leg.phase, type(event)))
                return reaction(self, leg, event, now) if reaction else []

    # Rounds, waves, queue

    def _begin(self, now: int, wanted: Callable[[str], bool]) -> list[RaceCommand]:
        self._started_at = now
        self._queue = RingQueue(self.plan.ring_timeout_ms)
        self._waves = deque(
            (number, WavePlan(tuple(filter(wanted, wave.destinations)), wave.after_ms))
            for number, wave in enumerate(self.plan.waves, start=1)
        )
        return self._advance(now)

    def _advance(self, now: int) -> list[RaceCommand]:
        """Opens the waves that are due, rings what is queued, and notices the end."""
        if self.over or self.winner:
            return []
        commands = self._ring_queued(now)
        while self._waves and (self._is_due(self._waves[0][1], now) or self._is_exhausted()):
            self._open(*self._waves.popleft(), now)
            commands += self._ring_queued(now)
        if not (self._waves or self._active or self._queue):
            self.over = True
            commands.append(Exhausted())
        return commands

    def _is_due(self, wave: WavePlan, now: int) -> bool:
        return wave.after_ms is not None and now >= self._started_at + wave.after_ms

    def _is_exhausted(self) -> bool:
        """No phone rings, and none is about to. (A destination at capacity does not delay the next wave.)"""
        return not (self._active or self._queue.is_about_to_ring)

    def _open(self, number: int, wave: WavePlan, now: int) -> None:
        for destination in wave.destinations:
            leg = Leg(len(self.legs), self._round, LegRecord(destination, number, now))
            self.legs.append(leg)
            self._queue.add(leg.number, destination)

    def _ring_queued(self, now: int) -> list[RaceCommand]:
        commands: list[RaceCommand] = []
        while len(self._active) < self.plan.max_legs:
            number = self._queue.next(self._there, now)
            if number is None:
                break
            leg = self.legs[number]
            leg.phase, leg.was_rung = Phase.DIALLING, True
            leg.record.offered_at = now
            leg.deadline = now + self.plan.ring_timeout_ms
            self._active[number] = leg
            self._there.add(leg.record.destination)
            commands.append(Ring(number, leg.record.destination))
        return commands

    def _freed(self, destination: str, now: int) -> list[RaceCommand]:
        self._queue.release(destination)
        return self._advance(now)

    # A leg's life

    def _blocked(self, leg: Leg, event: RaceEvent, now: int) -> list[RaceCommand]:
        leg.phase, leg.was_rung = Phase.QUEUED, False
        del self._active[leg.number]
        self._there.discard(leg.record.destination)
        if not self._queue.set_aside(leg.number, leg.record.destination, now):
            leg.phase = Phase.ENDED
        return self._advance(now)

    def _ringing(self, leg: Leg, event: RaceEvent, now: int) -> list[RaceCommand]:
        leg.phase = Phase.RINGING
        leg.record.ringing_at = now
        return []

    def _answered(self, leg: Leg, event: RaceEvent, now: int) -> list[RaceCommand]:
        leg.phase = Phase.ANSWERED
        leg.record.answered_at = now
        return self._accept(leg, now) if self.plan.accept == "answer" else self._ask(leg)

    def _soundless(self, leg: Leg, event: RaceEvent, now: int) -> list[RaceCommand]:
        leg.record.answered_at = now
        return [*self._cancel(leg, "failed"), *self._advance(now)]

    def _answered_too_late(self, leg: Leg, event: RaceEvent, now: int) -> list[RaceCommand]:
        """The answer crossed the cancel: the channel is up now, so it must be hung up again."""
        if leg.record.answered_at is not None:
            return []
        leg.record.answered_at = now
        if self.plan.accept == "answer":
            self._note_late(leg, now)
        return [HangUp(leg.number, leg.hangup_reason)]

    def _ask(self, leg: Leg) -> list[RaceCommand]:
        leg.hears_prompt = True
        return [Prompt(leg.number)]

    def _prompt_done(self, leg: Leg, event: RaceEvent, now: int) -> list[RaceCommand]:
        leg.hears_prompt = False
        leg.digit_deadline = now + DIGIT_WAIT_MS
        return []

    def _digit(self, leg: Leg, event: LegDigit, now: int) -> list[RaceCommand]:
        if event.digit == ACCEPT_DIGIT:
            return self._accept(leg, now)
        if event.digit == DECLINE_DIGIT:
            return [*self._cancel(leg, "declined"), *self._advance(now)]
        return self._ask_again(leg, now)

    def _ask_again(self, leg: Leg, now: int) -> list[RaceCommand]:
        leg.digit_deadline = None
        leg.loops += 1
        if leg.loops < PROMPT_LOOPS:
            return self._ask(leg)
        return [*self._cancel(leg, "no_answer"), *self._advance(now)]

    def _late_digit(self, leg: Leg, event: LegDigit, now: int) -> list[RaceCommand]:
        if event.digit == ACCEPT_DIGIT:
            self._note_late(leg, now)
        return []

    def _note_late(self, leg: Leg, now: int) -> None:
        if leg.record.outcome == "lost" and leg.record.accepted_at is None:
            leg.record.accepted_at = now
            leg.record.lost_by_ms = now - self._won_at

    def _ended(self, leg: Leg, event: LegEnded, now: int) -> list[RaceCommand]:
        if event.cause is None:
            return self._ended_unseen(leg, event, now)
        said = outcome_of(leg.record, event.cause, event.sip_status)
        leg.record.outcome = "no_answer" if leg.phase is Phase.ANSWERED else said
        return self._close_and_advance(leg, event, now)

    def _ended_unseen(self, leg: Leg, event: LegEnded, now: int) -> list[RaceCommand]:
        """The agent may have answered unseen, and is rung again: a limited number of times in each round."""
        leg.record.outcome = "failed"
        self._close(leg, event, now)
        destination = leg.record.destination
        offers = [
            one for one in self.legs if one.round == leg.round and one.record.destination == destination
        ]
        if len(offers) <= self.plan.reoffer_times:
            self._open(leg.record.wave, WavePlan((destination,)), now)
        return self._advance(now)

    def _close_and_advance(self, leg: Leg, event: LegEnded, now: int) -> list[RaceCommand]:
        self._close(leg, event, now)
        return self._advance(now)

    def _close(self, leg: Leg, event: LegEnded, now: int) -> None:
        """The leg's channel ended, so its phone may be rung again."""
        self._active.pop(leg.number, None)
        self._there.discard(leg.record.destination)
        self._queue.release(leg.record.destination)
        leg.phase = Phase.ENDED
        leg.record.ended_at = now
        leg.record.hangup_cause = event.cause

    # The award

    def _accept(self, leg: Leg, now: int) -> list[RaceCommand]:
        """The first acceptance wins. Every other leg is hung up in the same step."""
        self.winner = self._active.pop(leg.number)
        self._won_at = now
        leg.record.accepted_at = now
        leg.record.outcome = "won"
        return [Award(leg.number), *self._bridge_after_prompt(leg, now), *self._cancel_all("lost")]

    def _bridge_after_prompt(self, leg: Leg, now: int) -> list[RaceCommand]:
        """Asterisk bridges no channel while it plays a prompt, and all later requests of the call would wait, too."""
        if not leg.hears_prompt:
            return self._bridge(leg)
        leg.phase = Phase.WON
        leg.deadline = now + PROMPT_STOP_MS
        return [Hush(leg.number)]

    def _bridge(self, leg: Leg, *_: object) -> list[RaceCommand]:
        leg.phase = Phase.BRIDGING
        return [Bridge(leg.number)]

    def _bridged(self, leg: Leg, event: RaceEvent, now: int) -> list[RaceCommand]:
        leg.phase = Phase.CONNECTED
        leg.connected_at = now
        return []

    def _winner_ended(self, leg: Leg, event: LegEnded, now: int) -> list[RaceCommand]:
        """If the winner's channel ends at once, the call is offered again (a limited number of times)."""
        self._close(leg, event, now)
        if leg.connected_at is None:
            leg.record.outcome = "failed"
        elif (event.alive_until or now) - leg.connected_at >= self.plan.reoffer_within_ms:
            self.over = True
            return []
        if self._round >= self.plan.reoffer_times:
            self.winner = None
            self.over = True
            return [Exhausted()]
        self.winner = None
        self._round += 1
        # A destination that only lost, or never rang, is rung again; one that declined or failed is not.
        last = {leg.record.destination: leg.record.outcome for leg in self.legs}
        return [Reoffer(leg.number), *self._begin(now, lambda name: last.get(name) in ("lost", None))]

    def _caller_hung_up(self) -> list[RaceCommand]:
        self.over = True
        commands = self._cancel_all("cancelled")
        if self.winner and self.winner.phase in (Phase.WON, Phase.BRIDGING, Phase.CONNECTED):
            self.winner.phase = Phase.CANCELLING
            commands.append(HangUp(self.winner.number, "normal"))
        return commands

    def _cancel_all(self, outcome: LegOutcome) -> list[RaceCommand]:
        return [command for leg in list(self._active.values()) for command in self._cancel(leg, outcome)]

    def _cancel(self, leg: Leg, outcome: LegOutcome) -> list[RaceCommand]:
        was_answered = leg.phase is Phase.ANSWERED
        del self._active[leg.number]
        leg.phase = Phase.CANCELLING
        leg.record.outcome = outcome
        if was_answered and outcome == "lost":
            return [SayTaken(leg.number)]
        return [HangUp(leg.number, leg.hangup_reason)]

    def _time_up(self, now: int) -> list[RaceCommand]:
        if self.winner and self.winner.phase is Phase.WON and now >= self.winner.deadline:
            return self._bridge(self.winner)
        commands: list[RaceCommand] = []
        for number in self._queue.expire(now):
            self.legs[number].phase = Phase.ENDED
        for leg in list(self._active.values()):
            if now >= leg.deadline:
                commands += self._cancel(leg, "no_answer")
            elif leg.digit_deadline is not None and now >= leg.digit_deadline:
                commands += self._ask_again(leg, now)
        return commands + self._advance(now)


# What each event does in each phase; a pair that is not here does nothing.
_REACTIONS: dict[tuple[Phase, type], Callable[..., list[RaceCommand]]] = {
    (Phase.DIALLING, LegBlocked): Race._blocked,
    (Phase.DIALLING, LegRinging): Race._ringing,
    (Phase.DIALLING, LegAnswered): Race._answered,
    (Phase.DIALLING, LegSoundless): Race._soundless,
    (Phase.DIALLING, LegEnded): Race._ended,
    (Phase.RINGING, LegAnswered): Race._answered,
    (Phase.RINGING, LegSoundless): Race._soundless,
    (Phase.RINGING, LegEnded): Race._ended,
    (Phase.ANSWERED, LegDigit): Race._digit,
    (Phase.ANSWERED, PromptDone): Race._prompt_done,
    (Phase.ANSWERED, LegEnded): Race._ended,
    (Phase.WON, PromptDone): Race._bridge,
    (Phase.WON, LegEnded): Race._winner_ended,
    (Phase.BRIDGING, LegBridged): Race._bridged,
    (Phase.BRIDGING, LegEnded): Race._winner_ended,
    (Phase.CONNECTED, LegEnded): Race._winner_ended,
    (Phase.CANCELLING, LegAnswered): Race._answered_too_late,
    (Phase.CANCELLING, LegSoundless): lambda race, leg, *_: [HangUp(leg.number, leg.hangup_reason)],
    (Phase.CANCELLING, LegDigit): Race._late_digit,
    (Phase.CANCELLING, LegEnded): Race._close_and_advance,
}
