"""Repeat callers: which earlier calls the terms ask about, and the memory that answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from ari_app.domain.marketplace import Basis, Campaign, Clause, Scope
from ari_app.domain.qualification import EarlierCall
from ari_app.domain.record import CallRecord
from ari_app.domain.staging import staged

Kind = tuple[Basis, Scope]


def clauses_of(campaign: Campaign) -> Iterator[Clause]:
    """Every clause of the campaign's terms, those of single parts and those that are staged included."""
    later = staged(campaign)
    if later is not None:
        yield from clauses_of(later)
    yield from (*campaign.qualify, *campaign.price_when, *campaign.payout_when)
    for bonus in campaign.bonus:
        yield from bonus.when
    for override in campaign.overrides.values():
        yield from override.payout_when or ()


def kinds_of(campaigns: Iterable[Campaign]) -> frozenset[Kind]:
    """The kinds of earlier calls that some clause asks about."""
    rules = (clause.no_repeat for campaign in campaigns for clause in clauses_of(campaign))
    return frozenset((rule.basis, rule.scope) for rule in rules if rule is not None)


def longest_window(campaigns: Iterable[Campaign]) -> int:
    """How far back, in ms, any of the campaigns asks about repeat callers."""
    rules = (clause.no_repeat for campaign in campaigns for clause in clauses_of(campaign))
    return max((rule.window for rule in rules if rule is not None), default=0)


def whose(record: CallRecord, scope: Scope) -> str | None:
    """The id that a repeat of this scope is a repeat to; None when the call reached nobody."""
    return {"campaign": record.campaign, "advertiser": record.advertiser, "destination": record.winner}[scope]


class Memory:
    """The last call of each caller, by kind and by whose it was. Bounded by `window_ms`."""

    def __init__(self, kinds: frozenset[Kind] = frozenset(), window_ms: int = 0) -> None:
        self.kinds = kinds
        self.window_ms = window_ms
        self._last: OrderedDict[tuple[Kind, str, str], EarlierCall] = OrderedDict()  # oldest first

    def last(self, basis: Basis, record: CallRecord) -> dict[Kind, EarlierCall]:
        """The caller's earlier calls on this basis; not the call itself."""
        found = {kind: self._last.get(key) for kind, key in self._keys(basis, record)}
        return {kind: call for kind, call in found.items() if call is not None and call.call_id != record.id}

    def note(self, basis: Basis, record: CallRecord, at: int) -> dict[Kind, EarlierCall]:
        """`last`, and this call is the last one from now on. `at` (ms) is when it was what `basis` says."""
        before = self.last(basis, record)
        for _, key in self._keys(basis, record):
            self._last.pop(key, None)
            self._last[key] = EarlierCall(record.id, at)
        self._forget_before(at - self.window_ms)
        return before

    def recall(self, record: CallRecord) -> None:
        """Notes a call that is over, on each basis that it has come to."""
        self.note("any", record, record.started_at)
        if record.connected_at is not None:
            self.note("connected", record, record.connected_at)
            if record.qualification is not None and record.qualification.qualified:
                self.note("qualified", record, record.connected_at)

    def recall_payable(self, record: CallRecord) -> None:
        """Notes a call that has come to be payable since it was over, unless a later one is known."""
        if record.connected_at is None or not (record.qualification and record.qualification.qualified):
            return
        for _, key in self._keys("qualified", record):
            known = self._last.get(key)
            if known is None or known.at < record.connected_at:
                self._last[key] = EarlierCall(record.id, record.connected_at)

    def absorb(self, newer: Memory) -> None:
        """Takes in what another memory has seen since."""
        for key, call in newer._last.items():
            self._last.pop(key, None)
            self._last[key] = call

    def _keys(self, basis: Basis, record: CallRecord) -> Iterator[tuple[Kind, tuple[Kind, str, str]]]:
        for kind in self.kinds:
            id_ = whose(record, kind[1])
            if kind[0] == basis and id_ is not None and record.ani is not None:
                yield kind, (kind, id_, record.ani)

    def _forget_before(self, at: int) -> None:
        """No clause's window reaches so far back."""
        while self._last:
            key, oldest = next(iter(self._last.items()))
            if oldest.at >= at:
                return
            del self._last[key]
