"""Checks of terms: rates, bonuses, and clauses wherever they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields

from ari_app.domain.basics.yamltext import Complaint, FieldPath
from ari_app.domain.document.world import World, check_coverage, check_name, did_you_mean, listed
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.terms import Bonus, Clause, Rate

CLAUSE_KINDS = tuple(field.name for field in fields(Clause))


def check_terms(
    path: FieldPath, campaign: Campaign, marketplace: Marketplace, answers: Collection[str], world: World
) -> Iterator[Complaint]:
    """Complaints about price, payout, clauses, bonuses and overrides: of a campaign, or of terms that it stages."""
    for name in ("qualify", "price_when", "payout_when"):
        yield from check_clauses((*path, name), getattr(campaign, name), answers, world)
    for index, bonus in enumerate(campaign.bonus):
        yield from check_bonus((*path, "bonus", index), bonus, answers, world)
    names = [bonus.name for bonus in campaign.bonus]
    for name in {name for name in names if names.count(name) > 1}:
        yield Complaint((*path, "bonus"), f"two of them are named '{name}'")
    yield from check_rate((*path, "price"), campaign.price, ("per_minute",))
    yield from check_rate((*path, "payout"), campaign.payout, ("per_minute", "share"))
    for publisher, override in campaign.overrides.items():
        own = (*path, "overrides", publisher)
        yield from check_name(own, publisher, marketplace.publishers, "publisher")
        yield from check_rate((*own, "payout"), override.payout, ("per_minute", "share"))
        yield from check_clauses((*own, "payout_when"), override.payout_when or (), answers, world)


def check_bonus(path: FieldPath, bonus: Bonus, answers: Collection[str], world: World) -> Iterator[Complaint]:
    """Complains of a bonus without a clause or without an amount."""
    if not bonus.when:
        yield Complaint((*path, "when"), "expected at least one clause; what every call earns is no bonus")
    if not bonus.price and not bonus.payout:
        yield Complaint(path, "expected a price or a payout of more than 0")
    yield from check_clauses((*path, "when"), bonus.when, answers, world)


def check_rate(path: FieldPath, rate: int | Rate | None, kinds: tuple[str, ...]) -> Iterator[Complaint]:
    """Complains of a rate that is not exactly one of `kinds`, or whose minimum is above its maximum."""
    if rate is None or isinstance(rate, int):
        return
    given = [kind for kind in ("per_minute", "share") if getattr(rate, kind) is not None]
    if len(given) != 1 or given[0] not in kinds:
        yield Complaint(path, f"expected an amount or exactly one of {', '.join(kinds)}, got {listed(given)}")
    if rate.minimum is not None and rate.maximum is not None and rate.minimum > rate.maximum:
        yield Complaint((*path, "minimum"), "expected at most the maximum")


def check_clauses(
    path: FieldPath, clauses: Iterable[Clause], answers: Collection[str], world: World
) -> Iterator[Complaint]:
    """Complaints about each clause; see `check_clause`."""
    for index, clause in enumerate(clauses):
        yield from check_clause((*path, index), clause, CLAUSE_KINDS, answers, world)


def check_clause(
    path: FieldPath, clause: Clause, allowed: tuple[str, ...], answers: Collection[str], world: World
) -> Iterator[Complaint]:
    """Complains of a clause that is not exactly one of the `allowed` kinds, or asks for an answer that no flow sets."""
    given = [name for name in CLAUSE_KINDS if getattr(clause, name) is not None]
    if len(given) != 1 or given[0] not in allowed:
        yield Complaint(path, f"expected exactly one of {', '.join(allowed)}, got {listed(given)}")
    if clause.caller_in is not None:
        yield from check_coverage((*path, "caller_in"), clause.caller_in, world)
    if clause.source_in is not None and not clause.source_in:
        yield Complaint((*path, "source_in"), "expected at least one source")
    repeat = clause.no_repeat
    if repeat is not None and (repeat.basis, repeat.scope) == ("any", "destination"):
        message = (
            "a call that reached no destination is a repeat to none; expected basis connected or qualified"
        )
        yield Complaint((*path, "no_repeat_within"), message)
    if clause.answer_in is not None:
        yield from _answer_in((*path, "answer_in"), clause.answer_in, answers)


def _answer_in(
    path: FieldPath, wanted: Mapping[str, Collection[str]], answers: Collection[str]
) -> Iterator[Complaint]:
    if not wanted:
        yield Complaint(path, "expected an answer's name and its values")
    for name, values in wanted.items():
        if not values:
            yield Complaint((*path, name), "expected at least one value")
        if name not in answers:
            yield Complaint(
                (*path, name), f"no node of the flow sets the answer '{name}'{did_you_mean(name, answers)}"
            )
