"""The marketplace in force, read again and again: what did not change since the last time is not created again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from ari_app.domain.document.assembly import Assembled, with_numbers
from ari_app.domain.market.marketplace import Marketplace, Number
from ari_app.store.db import revision
from ari_app.store.db.engine import reading
from ari_app.store.db.errors import DocumentUnreadable
from ari_app.store.db.tables import marketplace_versions
from ari_app.store.market import applications, marketplaces, numbers, pauses
from ari_app.store.market.marketplaces import Loaded
from ari_app.store.market.numbers import Seen

READABLE_WITHIN = 20  # versions: how far back we look for a version that can be read


@dataclass(frozen=True, slots=True)
class _Version:
    """A version that can be read."""

    version: int
    assembled: Assembled
    terms_versions: dict[str, int]
    staged_versions: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read last. `seen`: which changes of numbers were read."""

    version: _Version
    numbers: Mapping[str, Number]
    seen: Seen
    marketplace: Marketplace


class InForce:
    """For programs that serve calls: to read a step of the desk costs what it changed. For one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last: _Read | None = None

    def read(self) -> Loaded | None:
        """The newest marketplace that this program can read, with the current numbers, pauses and suspensions.

        If a newer program applied the newest version, or if it is damaged, the last readable one stays in force
        (`unreadable` says so). Numbers whose campaign or publisher that one does not have are left out. None: no
        marketplace was applied yet. Raises StoreError: DocumentUnreadable where none of the last READABLE_WITHIN
        versions can be read.
        """
        with reading(self._engine, is_much=True) as connection:
            found = self._newest(connection)
            if found is None:
                return None
            version, why_not_later = found
            self._last = read = self._read(connection, version)
            paused = {pause.destination: pause.reason for pause in pauses.paused_in(connection)}
            suspended = applications.suspended_in(connection)
            counter = revision.read_in(connection)
        return Loaded(
            version.version,
            read.marketplace if why_not_later is None else _without_strangers(read.marketplace),
            version.terms_versions,
            paused,
            counter,
            version.staged_versions,
            suspended,
            str(why_not_later) if why_not_later else None,
        )

    def _newest(self, connection: Connection) -> tuple[_Version, DocumentUnreadable | None] | None:
        """The newest version that can be read, and why a later one cannot; None: there is no version."""
        at = marketplace_versions.c.version
        why_not: DocumentUnreadable | None = None
        for version in (
            connection.execute(select(at).order_by(at.desc()).limit(READABLE_WITHIN)).scalars().all()
        ):
            try:
                return self._version(connection, version), why_not
            except DocumentUnreadable as error:
                why_not = why_not or error
        if why_not is not None:
            raise why_not
        return None

    def _version(self, connection: Connection, version: int) -> _Version:
        """Raises DocumentUnreadable."""
        last = self._last.version if self._last else None
        if last is not None and last.version == version:
            return last
        return _Version(version, *marketplaces.pieces(connection, version, last.assembled if last else None))

    def _read(self, connection: Connection, version: _Version) -> _Read:
        last = self._last
        known, seen = (last.numbers, last.seen) if last else ({}, None)
        owned, seen = numbers.owned(connection, known, seen)
        if last is not None and last.version is version and last.numbers is owned:
            marketplace = last.marketplace
        else:
            marketplace = with_numbers(version.assembled.marketplace, owned)
        return _Read(version, owned, seen, marketplace)


def _without_strangers(marketplace: Marketplace) -> Marketplace:
    """Without the numbers of campaigns and publishers that it does not have."""
    campaigns, publishers = marketplace.campaigns, marketplace.publishers
    known = {
        did: number
        for did, number in marketplace.numbers.items()
        if number.campaign in campaigns and number.publisher in publishers
    }
    return with_numbers(marketplace, known)
