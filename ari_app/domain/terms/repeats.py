"""Repeat callers: which earlier calls the terms ask about, and the memory of those calls."""

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
    """The id of the call's campaign, advertiser or destination, by the scope; None when the call reached nobody."""
    return {"campaign": record.campaign, "advertiser": record.advertiser, "destination": record.winner}[scope]


_SPAN_MS = 6 * 3_600_000  # calls of so long are forgotten together
_KEPT = 8
_AT_BYTES = 6
_NEVER = 1 << 8 * _AT_BYTES  # no moment is so late
_PLAIN = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)  # E.164
_OWNER = 1 << 50  # more than any number of E.164

_Key = int | tuple[int, str]


class Memory:
    """The last calls of each caller, by basis and by campaign, advertiser or destination. Bounded by `window_ms`.

    A million callers take some 150 MB. To save memory, a caller's number and the call's owner are packed into one
    integer, and a call into one string of bytes. Calls are kept by age, so that old ones are forgotten together. For
    each span of time the last _KEPT calls of a caller are known: a call may be judged late, after the caller has
    called again.
    """

    def __init__(self, kinds: frozenset[RepeatKind] = frozenset(), window_ms: int = 0) -> None:
        self._spans: dict[int, dict[_Key, bytes]] = {}  # each by caller, see `_packed`
        self._owners: dict[tuple[RepeatKind, str], int] = {}
        self._now = 0
        self.widen(kinds, window_ms)

    def widen(self, kinds: frozenset[RepeatKind], window_ms: int) -> None:
        """From now on these kinds are remembered, for this long (ms). What is already known of them stays."""
        self.kinds, self.window_ms = kinds, window_ms
        self._scopes = {basis: [scope for b, scope in kinds if b == basis] for basis, _ in kinds}

    def last(self, basis: Basis, record: CallRecord) -> dict[RepeatKind, EarlierCall]:
        """The caller's last calls on this basis; not the call itself."""
        return self._last(basis, record, None)

    def before(self, basis: Basis, record: CallRecord, at: int) -> dict[RepeatKind, EarlierCall]:
        """The caller's last calls on this basis, as known before `at` (ms)."""
        return self._last(basis, record, at)

    def remember(self, basis: Basis, record: CallRecord, at: int) -> dict[RepeatKind, EarlierCall]:
        """Returns `last`, and remembers this call. `at` (ms): when the call met the basis."""
        before = self.last(basis, record)
        self.move_to(at)
        self._put(basis, record, at)
        return before

    def move_to(self, at: int) -> None:
        """Sets the time to `at` (ms). Calls that no window reaches any more are forgotten.

        A call that is read from the database may be dated in the future: some machine's clock was wrong.
        """
        if at // _SPAN_MS != self._now // _SPAN_MS:
            oldest = (at - self.window_ms) // _SPAN_MS
            self._spans = {there: span for there, span in self._spans.items() if there >= oldest}
        self._now = at

    def recall(self, record: CallRecord) -> None:
        """Remembers a call that is over, on each basis that it met. Calls may be recalled in any order."""
        self._put("any", record, record.started_at)
        if record.connected_at is not None:
            self._put("connected", record, record.connected_at)
            self.recall_payable(record)

    def recall_payable(self, record: CallRecord) -> None:
        """Remembers that a call became payable after it was over."""
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
        """The caller's calls, the newest first."""
        for n in sorted(self._spans, reverse=True):
            yield from _calls(self._spans[n].get(key, b""))

    def _put(self, basis: Basis, record: CallRecord, at: int) -> None:
        if not 0 <= at < _NEVER:  # of a call that the database has refused for that reason
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
    """A call's moment and id, with their lengths before them, so that several calls fit into one string of bytes."""
    id_ = call_id.encode()
    return bytes([_AT_BYTES + len(id_)]) + at.to_bytes(_AT_BYTES) + id_


def _calls(packed: bytes) -> Iterator[EarlierCall]:
    while packed:
        end = packed[0] + 1
        yield EarlierCall(packed[1 + _AT_BYTES : end].decode(), int.from_bytes(packed[1 : 1 + _AT_BYTES]))
        packed = packed[end:]


def _both(known: bytes, call_id: str, at: int) -> bytes:
    """The newest of the known calls and this one; this one replaces what was known of the same call."""
    others = [call for call in _calls(known) if call.call_id != call_id]
    last = sorted([*others, EarlierCall(call_id, at)], key=_moment, reverse=True)[:_KEPT]
    return b"".join(_packed(call.call_id, call.at) for call in last)


def _moment(call: EarlierCall) -> int:
    return call.at
