"""Repeat callers: which earlier calls the terms ask about, and the memory that answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.staging import staged
from ari_app.domain.market.terms import Basis, Clause, Scope
from ari_app.domain.terms.qualification import EarlierCall

RepeatKind = tuple[Basis, Scope]


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


def kinds_of(campaigns: Iterable[Campaign]) -> frozenset[RepeatKind]:
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


_SPAN_MS = 6 * 3_600_000  # calls of so long are forgotten together
_KEPT = 8
_AT_BYTES = 6
_NEVER = 1 << 8 * _AT_BYTES  # no moment is so late
_PLAIN = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)  # E.164
_OWNER = 1 << 50  # more than any number of E.164

_Key = int | tuple[int, str]


class Memory:
    """The last calls of each caller, by kind and by whose they were. Bounded by `window_ms`.

    A million callers take some 150 MB. So of a caller that is a plain number and of whose the call was one integer is
    made, and of a call one text of bytes; and calls are kept by age, as what no window reaches is then one thing. The
    last _KEPT of a caller are known in each span of time, for one that is judged late, when they have called again.
    """

    def __init__(self, kinds: frozenset[RepeatKind] = frozenset(), window_ms: int = 0) -> None:
        self._spans: dict[int, dict[_Key, bytes]] = {}  # each by caller, see `_packed`
        self._owners: dict[tuple[RepeatKind, str], int] = {}
        self._now = 0
        self.widen(kinds, window_ms)

    def widen(self, kinds: frozenset[RepeatKind], window_ms: int) -> None:
        """From now on these kinds are noted, and kept for so long. What is known of them stays."""
        self.kinds, self.window_ms = kinds, window_ms
        self._scopes = {basis: [scope for b, scope in kinds if b == basis] for basis, _ in kinds}

    def last(self, basis: Basis, record: CallRecord) -> dict[RepeatKind, EarlierCall]:
        """The caller's last calls on this basis; not the call itself."""
        return self._last(basis, record, None)

    def before(self, basis: Basis, record: CallRecord, at: int) -> dict[RepeatKind, EarlierCall]:
        """The caller's last calls on this basis that were it before `at` (ms)."""
        return self._last(basis, record, at)

    def note(self, basis: Basis, record: CallRecord, at: int) -> dict[RepeatKind, EarlierCall]:
        """`last`, and this call is one of them from now on. `at` (ms) is when it was what `basis` says."""
        before = self.last(basis, record)
        self.move_to(at)
        self._put(basis, record, at)
        return before

    def move_to(self, at: int) -> None:
        """It is `at` (ms) now. What no window reaches from there is known no more.

        Of calls that are only recalled one may be of a day to come, saved while some machine's clock was wrong.
        """
        if at // _SPAN_MS != self._now // _SPAN_MS:
            oldest = (at - self.window_ms) // _SPAN_MS
            self._spans = {there: span for there, span in self._spans.items() if there >= oldest}
        self._now = at

    def recall(self, record: CallRecord) -> None:
        """Notes a call that is over, on each basis that it has come to, in whatever order calls are recalled."""
        self._put("any", record, record.started_at)
        if record.connected_at is not None:
            self._put("connected", record, record.connected_at)
            self.recall_payable(record)

    def recall_payable(self, record: CallRecord) -> None:
        """Notes a call that has come to be payable since it was over."""
        if record.connected_at is not None and record.qualification and record.qualification.qualified:
            self._put("qualified", record, record.connected_at)

    def _last(self, basis: Basis, record: CallRecord, before: int | None) -> dict[RepeatKind, EarlierCall]:
        found = {}
        for kind, key in self._keys(basis, record):
            its = (one for one in self._known(key) if one.call_id != record.id)
            call = next((one for one in its if before is None or one.at < before), None)
            if call is not None and call.at >= self._now - self.window_ms:
                found[kind] = call
        return found

    def _known(self, key: _Key) -> Iterator[EarlierCall]:
        """The caller's calls, the last first."""
        for n in sorted(self._spans, reverse=True):
            yield from _calls(self._spans[n].get(key, b""))

    def _put(self, basis: Basis, record: CallRecord, at: int) -> None:
        if not 0 <= at < _NEVER:  # of one that the database has refused for it
            return
        for _, key in self._keys(basis, record):
            span = self._spans.setdefault(at // _SPAN_MS, {})
            known = span.get(key)
            span[key] = _packed(record.id, at) if known is None else _both(known, record.id, at)

    def _keys(self, basis: Basis, record: CallRecord) -> Iterator[tuple[RepeatKind, _Key]]:
        scopes, ani = self._scopes.get(basis, ()), record.ani
        if not scopes or ani is None:
            return
        number = int(ani[1:]) if _PLAIN.fullmatch(ani) else None
        for scope in scopes:
            id_ = whose(record, scope)
            if id_ is not None:
                kind = basis, scope
                owner = self._owners.setdefault((kind, id_), len(self._owners))
                yield kind, (owner, ani) if number is None else owner * _OWNER + number


def _packed(call_id: str, at: int) -> bytes:
    """A call's moment and id, and before them how long both are: so that several fit into one text."""
    id_ = call_id.encode()
    return bytes([_AT_BYTES + len(id_)]) + at.to_bytes(_AT_BYTES) + id_


def _calls(packed: bytes) -> Iterator[EarlierCall]:
    while packed:
        end = packed[0] + 1
        yield EarlierCall(packed[1 + _AT_BYTES : end].decode(), int.from_bytes(packed[1 : 1 + _AT_BYTES]))
        packed = packed[end:]


def _both(known: bytes, call_id: str, at: int) -> bytes:
    """The last of the calls known and this one, which takes the place of what was known of it."""
    others = [call for call in _calls(known) if call.call_id != call_id]
    last = sorted([*others, EarlierCall(call_id, at)], key=_moment, reverse=True)[:_KEPT]
    return b"".join(_packed(call.call_id, call.at) for call in last)


def _moment(call: EarlierCall) -> int:
    return call.at
