"""The marketplace: applied as a whole, in versions. Terms have versions of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select

from ari_app.domain.basics.audit import Entry
from ari_app.domain.calls.geo import Geography
from ari_app.domain.document.applied import Applied
from ari_app.domain.document.assembly import Assembled, assemble, what_is_wrong
from ari_app.domain.document.changes import Terms, changes
from ari_app.domain.document.reading import from_document, to_document
from ari_app.domain.market import campaigns, staging
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.routing.snapshot import Snapshot, make_snapshot
from ari_app.store.db import auditlog, outbox, revision
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.errors import (
    DocumentUnreadable,
    MarketplaceMoved,
    NumbersInUse,
    StepRefused,
    TermsUndone,
)
from ari_app.store.db.tables import marketplace_versions
from ari_app.store.limits import beginning, caprules
from ari_app.store.market import applications, numbers, pauses
from ari_app.store.market.parties import accounts_of_removed
from ari_app.store.market.termversions import TermsVersions, canonical, numbers_of, save, versions_in

_NEWEST = select(marketplace_versions).order_by(marketplace_versions.c.version.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The marketplace in force, with the numbers of the document and of the desk.

    `pauses`: why destinations are paused. `suspended`: by campaign and publisher, why the publisher is suspended.
    `revision`: the value of the counter when it was read. `unreadable`: why a later version cannot be read; None: there
    is no later version.
    """

    version: int
    marketplace: Marketplace
    terms_versions: dict[str, int]
    pauses: dict[str, str]
    revision: int
    staged_versions: dict[str, int]
    suspended: dict[tuple[str, str], str]
    unreadable: str | None = None

    def snapshot(self, geography: Geography, before: Snapshot | None = None) -> Snapshot:
        """The same, prepared for look-ups. With the version of `before`, only numbers, pauses, suspensions are new."""
        if before is not None and before.version == self.version:
            return replace(before, marketplace=self.marketplace, pauses=self.pauses, suspended=self.suspended)
        return make_snapshot(
            self.version,
            self.marketplace,
            self.terms_versions,
            geography,
            self.pauses,
            self.staged_versions,
            self.suspended,
        )


def plan(engine: Engine, marketplace: Marketplace, now: int) -> Applied:
    """What `apply` would do at `now` (ms). Nothing is changed."""
    with reading(engine) as connection:
        after = _with_desk_numbers(connection, marketplace)
        planned = _difference(_newest(connection), after, versions_in(connection), now, is_aware=False)
        return replace(planned, accounts=accounts_of_removed(connection, planned.changes))


@retried
def apply(
    engine: Engine,
    marketplace: Marketplace,
    now: int,
    *,
    based_on: int | None = None,
    entry: Entry | None = None,
) -> Applied:
    """Puts the marketplace in force at `now` (ms), all of it or nothing.

    The same marketplace again is the same version. Terms that an earlier version had get the number of that version
    again. `based_on`: the version from which this marketplace was made; 0: there was none. If that version is not in
    force any more, the apply is refused (MarketplaceMoved). A number that the desk assigned, and that this marketplace
    does not name, keeps its owner. If anything changed, `entry` goes into the audit log, with the version. Raises
    StepRefused, DocumentUnreadable, and NumbersInUse when the campaign or publisher of such a number would be removed.

    A removal never affects a call under way. A switch keeps each call on the snapshot and the terms version
    that it began with, and so on its campaign, flow and destinations. Terms are never deleted.
    """
    with reading(engine) as connection:  # for seconds; a writer of SQLite would stop the others
        ready = _prepared(connection, marketplace, now, based_on)
    with beginning.counted(engine, _in_force, marketplace, now) as begun, writing(engine) as connection:
        revision.lock(connection)
        if revision.read_in(connection) != ready.seen:
            ready = _prepared(connection, marketplace, now, based_on)
        applied, marketplace, document = ready.applied, ready.marketplace, ready.document
        applied = replace(applied, accounts=accounts_of_removed(connection, applied.changes))
        if not applied.changes:
            return applied
        applied_at = max(now, ready.before_at, numbers.latest_in(connection))
        row = {
            "version": applied.version,
            "applied_at": applied_at,
            "document_json": ready.document_json,
        }
        connection.execute(insert(marketplace_versions), row)
        outbox.add(connection, "marketplace.applied", [(str(applied.version), applied_at)])
        save(connection, document, ready.versions, applied_at)
        numbers.assign(connection, marketplace.numbers, applied_at, marketplace.numbers_policy.quarantine)
        revision.rise(connection)
        caprules.put(connection, marketplace, applied_at, begun)
        if entry is not None:
            facts = {**entry.facts, "version": applied.version}
            auditlog.note(connection, replace(entry, at=applied_at, facts=facts))
    return applied


@dataclass(frozen=True, slots=True)
class _Ready:
    """What an apply writes, valid while the revision is `seen`. `before_at` (ms): of the version in force."""

    seen: int
    before_at: int
    versions: TermsVersions
    marketplace: Marketplace
    applied: Applied
    document: Mapping[str, Any]
    document_json: str


def _prepared(connection: Connection, marketplace: Marketplace, now: int, based_on: int | None) -> _Ready:
    before = _newest(connection)
    if based_on not in (None, before.version if before else 0):
        raise MarketplaceMoved("the marketplace was changed by somebody else meanwhile; try again")
    versions = versions_in(connection)
    marketplace = _with_desk_numbers(connection, marketplace)
    applied = _difference(before, marketplace, versions, now, is_aware=based_on is not None)
    document = to_document(marketplace)
    del document["numbers"]
    before_at = before.applied_at if before else now
    seen = revision.read_in(connection)
    return _Ready(seen, before_at, versions, marketplace, applied, document, canonical(document))


def changed_at(engine: Engine) -> int:
    """The date (ms) of the last apply, or of the last change of a number; 0: there was none.

    No later change has an earlier date. If the clock was ahead then, all changes have this date until that time comes.
    """
    with reading(engine) as connection:
        applied_at = connection.execute(_NEWEST.with_only_columns(marketplace_versions.c.applied_at)).scalar()
        return max(applied_at or 0, numbers.latest_in(connection))


def load(engine: Engine) -> Loaded | None:
    """The marketplace in force, with its campaigns' terms versions; None when none was applied yet.

    Raises DocumentUnreadable.
    """
    with reading(engine, is_much=True) as connection:
        row = connection.execute(_NEWEST).one_or_none()
        return _loaded(connection, row, numbers.documents_in(connection)) if row else None


@dataclass(frozen=True, slots=True)
class InForce:
    """A version, and from when until before when (ms) it was in force; None: it is."""

    version: int
    since: int
    until: int | None

    def covers(self, at: int) -> bool:
        """Whether it was in force at a moment (ms)."""
        return self.since <= at and (self.until is None or at < self.until)


def in_force_at(engine: Engine, at: int) -> InForce | None:
    """The version that was in force at a moment (ms); None: there was none."""
    table = marketplace_versions
    then = _NEWEST.where(table.c.applied_at <= at).with_only_columns(table.c.version, table.c.applied_at)
    with reading(engine) as connection:
        row = connection.execute(then).one_or_none()
        if row is None:
            return None
        later = select(table.c.applied_at).where(table.c.version > row.version).order_by(table.c.version)
        return InForce(*row, connection.execute(later.limit(1)).scalar())


def load_version(engine: Engine, version: int) -> Loaded | None:
    """An applied marketplace, in force or not, for calls that are pinned to it; None: there is none.

    It has no numbers and no suspensions: those are in the call's pin. Raises DocumentUnreadable.
    """
    with reading(engine, is_much=True) as connection:
        its = select(marketplace_versions.c.version).where(marketplace_versions.c.version == version)
        if connection.execute(its).one_or_none() is None:
            return None
        assembled, in_force, staged = pieces(connection, version)
        paused = {pause.destination: pause.reason for pause in pauses.paused_in(connection)}
        counter = revision.read_in(connection)
    return Loaded(version, assembled.marketplace, in_force, paused, counter, staged, suspended={})


def pieces(
    connection: Connection, version: int, before: Assembled | None = None
) -> tuple[Assembled, dict[str, int], dict[str, int]]:
    """An applied version, and the version numbers of each campaign's terms and staged terms.

    It is read piece by piece, so that calls can be served meanwhile. Raises DocumentUnreadable.
    """
    its = select(marketplace_versions.c.document_json).where(marketplace_versions.c.version == version)
    try:
        assembled = assemble(connection.execute(its).scalar_one(), before)
    except (ValueError, TypeError) as error:
        raise DocumentUnreadable(version, str(error)) from error
    return assembled, *numbers_of(assembled.document("advertisers", "campaigns"), versions_in(connection))


def _loaded(connection: Connection, row: Row[Any], owned: Mapping[str, Any]) -> Loaded:
    """A version, with the current owners of the numbers. Raises DocumentUnreadable."""
    document, marketplace = _read(row, {"numbers": owned})
    in_force, staged = numbers_of(document, versions_in(connection))
    paused = {pause.destination: pause.reason for pause in pauses.paused_in(connection)}
    suspended = applications.suspended_in(connection)
    counter = revision.read_in(connection)
    return Loaded(row.version, marketplace, in_force, paused, counter, staged, suspended)


def _read(row: Row[Any], others: Mapping[str, Any]) -> tuple[dict[str, Any], Marketplace]:
    """A version's document, raw and read; `others` replace its own fields. Raises DocumentUnreadable."""
    try:
        document = {**json.loads(row.document_json), **others}
        return document, from_document(document)
    except (ValueError, TypeError) as error:  # pydantic's ValidationError is a ValueError
        raise DocumentUnreadable(row.version, what_is_wrong(error)) from error


def rules_in(connection: Connection) -> tuple[Marketplace, int] | None:
    """The rules in force, and since when (ms), as this transaction sees them.

    Numbers and destinations are left out: they are many, and the rules are asked while others wait. Raises
    DocumentUnreadable.
    """
    row = connection.execute(_NEWEST).one_or_none()
    if row is None:
        return None
    return _read(row, {"numbers": {}, "destinations": {}})[1], row.applied_at


@dataclass(frozen=True, slots=True)
class _Version:
    version: int
    applied_at: int
    marketplace: Marketplace


def _newest(connection: Connection) -> _Version | None:
    row = connection.execute(_NEWEST).one_or_none()
    if row is None:
        return None
    _, marketplace = _read(row, {"numbers": numbers.documents_in(connection)})
    return _Version(row.version, row.applied_at, marketplace)


def _in_force(connection: Connection) -> Marketplace | None:
    found = _newest(connection)
    return found.marketplace if found else None


def _with_desk_numbers(connection: Connection, marketplace: Marketplace) -> Marketplace:
    """The marketplace, with the numbers that the desk assigned and that it does not name. Raises NumbersInUse."""
    kept = {did: n for did, n in numbers.of_desk(connection).items() if did not in marketplace.numbers}
    for did, number in kept.items():
        for what, name, known in (
            ("campaign", number.campaign, marketplace.campaigns),
            ("publisher", number.publisher, marketplace.publishers),
        ):
            if name not in known:
                raise NumbersInUse(did, what, name)
    return replace(marketplace, numbers={**kept, **marketplace.numbers}) if kept else marketplace


def _difference(
    before: _Version | None, marketplace: Marketplace, versions: TermsVersions, now: int, *, is_aware: bool
) -> Applied:
    """What the marketplace changes of what is in force at `now`, and its version number.

    `is_aware`: it was made from what is in force, so what it undoes is undone on purpose. Raises StepRefused,
    TermsUndone.
    """
    old = before.marketplace if before else None
    steps_of = (old.campaigns if old else {}, marketplace.campaigns)
    refused = [*campaigns.refusals(*steps_of), *staging.refusals(*steps_of, now)]
    if refused:
        raise StepRefused("\n".join(refused))
    for undone in () if is_aware else staging.undone(*steps_of, now):
        raise TermsUndone(*undone)
    was, will_be = old and staging.in_force(old, now), staging.in_force(marketplace, now)
    terms_before = numbers_of(to_document(was), versions)[0] if was else {}
    known = {(campaign, version) for (campaign, _), version in versions.items()}
    steps = {
        campaign: Terms(terms_before.get(campaign), version, (campaign, version) not in known)
        for campaign, version in numbers_of(to_document(will_be), versions)[0].items()
    }
    found = changes(was, will_be, steps)
    in_force = before.version if before else 0
    return Applied(in_force + bool(found), found, marketplace)
