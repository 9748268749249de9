"""The race's rules hold in whatever order things happen, cross and repeat."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ari_app.domain.routing.legs import (
    Award,
    Bridge,
    CallerHungUp,
    Exhausted,
    Freed,
    HangUp,
    Hush,
    LegAnswered,
    LegBlocked,
    LegBridged,
    LegDigit,
    LegEnded,
    LegRinging,
    Phase,
    Prompt,
    PromptDone,
    Reoffer,
    Ring,
    SayTaken,
    TimeUp,
)
from ari_app.domain.routing.race import Race, RacePlan, WavePlan

LET_GO = (HangUp, SayTaken)
legs = st.integers(0, 30)


class RaceRules(RuleBasedStateMachine):
    """A model of the phones: `dialled` were rung and not yet gone, `let_go` were told to stop."""

    @initialize(
        sizes=st.lists(st.integers(0, 4), min_size=1, max_size=3),
        after=st.lists(st.none() | st.integers(0, 20_000), min_size=3, max_size=3),
        accept=st.sampled_from(["press-1", "answer"]),
        max_legs=st.integers(1, 6),
        reoffers=st.integers(0, 2),
    )
    def begin(self, sizes, after, accept, max_legs, reoffers):
        names = iter(f"agent-{n}" for n in range(100))
        waves = tuple(
            WavePlan(tuple(next(names) for _ in range(size)), after[index] if index else None)
            for index, size in enumerate(sizes)
        )
        self.race = Race(
            RacePlan(waves, accept=accept, max_legs=max_legs, reoffer_times=reoffers, ring_timeout_ms=30_000)
        )
        self.now = 0
        self.dialled: dict[int, str] = {}
        self.let_go: set[int] = set()
        self.awards = 0
        self.bridges_asked = 0
        self.reoffers = 0
        self.exhausted = 0
        self.caller_here = True
        self.perform(self.race.start(0))

    def perform(self, commands):
        for command in commands:
            match command:
                case Ring(leg, destination):
                    assert leg not in self.dialled, "a leg is dialled once"
                    assert destination not in self.dialled.values(), "no phone rings twice for one call"
                    assert self.caller_here, "nothing rings for a caller who is gone"
                    self.dialled[leg] = destination
                case Award(leg):
                    assert leg in self.dialled and leg not in self.let_go
                    self.awards += 1
                case Hush(leg):
                    assert self.race.winner is self.race.legs[leg]
                case Bridge(leg):
                    assert self.race.winner is self.race.legs[leg]
                    self.bridges_asked += 1
                case Reoffer():
                    self.reoffers += 1
                case Exhausted():
                    self.exhausted += 1
                case HangUp(leg) | SayTaken(leg):
                    self.let_go.add(leg)
                case Prompt(leg):
                    assert leg in self.dialled and leg not in self.let_go

    def tell(self, event):
        self.perform(self.race.handle(event, self.now))

    @rule(ms=st.integers(1, 15_000))
    def time_passes(self, ms):
        self.now += ms
        self.tell(TimeUp())

    @rule(leg=legs)
    def rings(self, leg):
        if leg in self.dialled:
            self.tell(LegRinging(leg))

    @rule(leg=legs)
    def answers(self, leg):
        if leg in self.dialled:
            self.tell(LegAnswered(leg))

    @rule(leg=legs, digit=st.sampled_from("1259"))
    def presses(self, leg, digit):
        if leg in self.dialled:
            self.tell(LegDigit(leg, digit))

    @rule(leg=legs)
    def prompt_ends(self, leg):
        if leg in self.dialled:
            self.tell(PromptDone(leg))

    @rule(leg=legs)
    def is_at_capacity(self, leg):
        if leg in self.dialled and self.race.legs[leg].phase is Phase.DIALLING:
            destination = self.dialled.pop(leg)
            self.tell(LegBlocked(leg))
            has_waited_its_time = self.race.legs[leg].phase is Phase.ENDED
            assert self.race.over or has_waited_its_time or self.race.waits_for(destination)

    @rule(number=st.integers(0, 12))
    def is_free_again(self, number):
        self.tell(Freed(f"agent-{number}"))

    @rule()
    def bridges(self):
        winner = self.race.winner
        if winner and winner.phase is Phase.BRIDGING:
            self.tell(LegBridged(winner.number))

    @rule(leg=legs, cause=st.sampled_from([16, 17, 19, 21, 26, 38, None]))
    def is_gone(self, leg, cause):
        if self.dialled.pop(leg, None) is not None:
            self.tell(LegEnded(leg, cause))

    @rule()
    def caller_hangs_up(self):
        self.caller_here = False
        self.tell(CallerHungUp())
        assert set(self.dialled) <= self.let_go, "every phone is told to stop"

    @invariant()
    def there_is_one_winner_for_each_round(self):
        if hasattr(self, "race"):
            assert self.awards <= self.reoffers + 1
            assert self.bridges_asked <= self.awards
            won = (Phase.WON, Phase.BRIDGING, Phase.CONNECTED)
            assert sum(leg.phase in won for leg in self.race.legs) <= 1

    @invariant()
    def nobody_rings_beside_a_winner(self):
        if hasattr(self, "race") and self.race.winner:
            assert set(self.dialled) - {self.race.winner.number} <= self.let_go

    @invariant()
    def rings_and_rounds_are_bounded(self):
        if hasattr(self, "race"):
            assert self.reoffers <= self.race.plan.reoffer_times
            offers = Counter((leg.round, leg.record.destination) for leg in self.race.legs)
            assert max(offers.values(), default=1) <= 1 + self.race.plan.reoffer_times
            assert sum(leg.phase.name in ("DIALLING", "RINGING", "ANSWERED") for leg in self.race.legs) <= (
                self.race.plan.max_legs
            )

    @invariant()
    def a_race_that_is_not_over_has_something_to_wait_for(self):
        if hasattr(self, "race") and not self.race.over:
            winner = self.race.winner
            if winner is None or winner.phase is Phase.WON:
                assert self.race.deadline() is not None

    @invariant()
    def it_ends_once(self):
        if hasattr(self, "race"):
            assert self.exhausted <= 1
            assert not (self.exhausted and not self.race.over)

    @invariant()
    def a_late_acceptance_is_recorded_as_lost(self):
        if hasattr(self, "race"):
            for leg in self.race.legs:
                if leg.record.lost_by_ms is not None:
                    assert leg.record.outcome == "lost" and leg.record.lost_by_ms >= 0


RaceRules.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestRaceRules = RaceRules.TestCase
