"""Races to be tried, and what is done in all of them."""

from ari_app.domain.routing.legs import (
    Award,
    Hush,
    LegAnswered,
    LegDigit,
    LegEnded,
    Ring,
    TimeUp,
)
from ari_app.domain.routing.race import Race, RacePlan, WavePlan


def plan(*waves, **rules):
    return RacePlan(tuple(WavePlan(tuple(w)) if not isinstance(w, WavePlan) else w for w in waves), **rules)


def started(*waves, **rules):
    race = Race(plan(*waves, **rules))
    race.start(0)
    return race


def let_the_losers_go(race, now):
    for leg in [leg for leg in race.legs if leg.phase.name == "CANCELLING"]:
        race.handle(LegEnded(leg.number, 26), now)


def run_out(race):
    """Nobody ever picks up, and who is hung up is gone at once; who was rung when, and until when."""
    commands, now, rung = race.start(0), 0, []
    while not race.over:
        rung += [(now, command.destination) for command in commands if isinstance(command, Ring)]
        now = race.deadline()
        commands = race.handle(TimeUp(), now)
        let_the_losers_go(race, now)
    return rung, now


def outcomes(race):
    return {leg.record.destination: leg.record.outcome for leg in race.legs}


def hears_the_prompt():
    """A winner who pressed 1 while the prompt was playing, at 1000."""
    race = started("a")
    race.handle(LegAnswered(0), 0)
    assert race.handle(LegDigit(0, "1"), 1_000) == [Award(0), Hush(0)]
    return race
