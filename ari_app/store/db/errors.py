"""What can go wrong with the store. Every message says what, where, and what to do.

StoreError
 ├── DatabaseUnavailable     it cannot be reached, or cannot write now; trying later may help
 │    └── DatabaseBusy       others changed the same rows at this moment; trying again helps
 ├── DatabaseNotMigrated     its tables are missing or of another version
 ├── BadDatabaseUrl          the URL names no database that we can use
 ├── AmbiguousCallId         a call id's beginning that fits several calls
 ├── KeyTaken                a transfer's key is in the ledger, with another content
 ├── QueueFull               the writer has more unsaved calls than it may keep
 ├── SpoolUnusable           the spool on the disk is full or cannot be written
 ├── StepRefused             a campaign's status cannot become what the marketplace says
 │    └── TermsUndone        an edit would bring back, unawares, what staged terms took the place of
 ├── MarketplaceMoved        another marketplace came in force meanwhile
 ├── DocumentUnreadable      an applied marketplace that this program cannot read
 ├── NumbersInUse            an apply would take away the campaign or publisher of a number
 ├── FilesStay               a recording's files cannot be deleted
 ├── NotDecided              calls that waited for a conversion cannot be decided
 ├── UnknownCalls            a conversion is told of a call that is not there, or before it began
 └── WriterStopped           the writer takes no more calls
"""

from __future__ import annotations


class StoreError(Exception):
    """The root of the store's errors."""


class DatabaseUnavailable(StoreError):
    """The database cannot be reached, is locked, or is out of space. Trying later may help."""


class DatabaseBusy(DatabaseUnavailable):
    """Two transactions waited for each other, and this one was undone. Trying again helps."""


class DatabaseNotMigrated(StoreError):
    """The database's tables are missing, or are not of this version of Callrace."""


class BadDatabaseUrl(StoreError):
    """The URL is neither SQLite's nor PostgreSQL's."""


class AmbiguousCallId(StoreError):
    """More than one call's id begins like this."""


class KeyTaken(StoreError):
    """The ledger already has a transfer with this key, and with another content."""


class StepRefused(StoreError):
    """A campaign's status cannot follow the one that it has."""


class TermsUndone(StepRefused):
    """An edit would bring back, by mistake, terms that were in force before the staged ones."""

    def __init__(self, campaign: str, terms: list[str], since: str) -> None:
        super().__init__(
            f"campaign {campaign}: {', '.join(terms)} would be again what it was before {since}, when its staged "
            "terms came"
        )
        self.campaign, self.term = campaign, terms[0]


class MarketplaceMoved(StoreError):
    """The marketplace in force is not the one that a change was made to."""


class DocumentUnreadable(StoreError):
    """An applied marketplace that this program cannot read: a newer program wrote it, or it is damaged."""

    def __init__(self, version: int, why: str) -> None:
        super().__init__(
            f"marketplace {version} cannot be read by this Callrace ({why}): run the one that applied it"
        )
        self.version = version


class NotDecided(StoreError):
    """Some calls whose time for a conversion is over could not be decided; all others are."""


class UnknownCalls(StoreError):
    """Conversions are reported for calls that are not saved, or that came later than the conversion."""


class CallsNotThere(UnknownCalls):
    """Conversions are reported for calls that are not saved."""


class QueueFull(StoreError):
    """The writer's queue is full: the database has not been available for long."""


class SpoolUnusable(StoreError):
    """The spool has as many calls as it may keep, or its disk is full or broken."""


class NumbersInUse(StoreError):
    """A number that the desk assigned would be left without its campaign or publisher."""

    def __init__(self, did: str, what: str, name: str) -> None:
        super().__init__(f"{what} {name} has {did}, which the desk gave it, and is not in the file")
        self.did = did


class FilesStay(StoreError):
    """The files of a recording cannot be deleted."""


class WriterStopped(StoreError):
    """The writer was closed."""
