"""Tracking numbers: imported, assigned to publishers, released; and their state and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.changing import Change, changing
from ari_app.desk.inforce import in_force
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.basics.states import STATE_NAMES
from ari_app.domain.calls.geo import overlaid
from ari_app.domain.market.marketplace import Number, NumbersPolicy
from ari_app.domain.numbers.holdings import Assignment, Holding
from ari_app.domain.numbers.inventory import NumberKind, Status, Wanted, parse
from ari_app.domain.numbers.stock import Shelf, stock_of
from ari_app.store import geography
from ari_app.store.db.engine import retried
from ari_app.store.market import inventory, marketplaces, numbers
from ari_app.store.market.inventory import Imported

ANY = Wanted()
"""Any number."""


@retried
def assign(
    site: Site,
    actor: Actor,
    *,
    campaign: str,
    publisher: str,
    source: str | None = None,
    wanted: Wanted = ANY,
) -> str:
    """Assigns a free number to a publisher for a campaign: the one unused for longest. Raises Refused, StoreError."""
    check(wanted, source)
    checked.words({"campaign": campaign, "publisher": publisher}, ("campaign", "publisher"))
    with changing(site, actor) as change:
        change.require(campaign, publisher)
        (did,) = give(change, Number(campaign, publisher, source), wanted, 1)
        change.note("numbers.assign", did, campaign=campaign, publisher=publisher)
        return did


@retried
def release(site: Site, actor: Actor, did: str) -> tuple[Assignment, int]:
    """Releases a number that the desk assigned; returns that assignment, and the end (ms) of the number's quarantine.

    Raises Refused, StoreError.
    """
    checked.word(did, "did")
    with changing(site, actor) as change:
        held = numbers.holder(change.connection, did)
        if held is None:
            raise Refused(Code.NUMBER_IS_NOBODYS, did=did)
        if held.origin == "file":
            raise Refused(Code.NUMBER_IS_OF_THE_FILE, did=did)
        quarantine_ms = change.rules.numbers_policy.quarantine
        numbers.end(change.connection, [did], change.at, quarantine_ms)
        change.note("numbers.release", did, campaign=held.campaign, publisher=held.publisher)
        return held, change.at + quarantine_ms


def import_(
    site: Site,
    actor: Actor,
    text: str,
    file: str,
    *,
    trunk: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Imported:
    """Adds the numbers of a CSV text to the stock, and updates those that are already in it.

    `file` is its name in error messages. `trunk` is for rows without a trunk. `columns` maps our column names to those
    in the file. Raises DocumentError, Refused, StoreError, GeographyError.
    """
    loaded = marketplaces.load(site.engine)
    tables = geography.load(site.settings.home)
    known = (overlaid(tables, loaded.marketplace.geography) if loaded else tables).area_codes
    its_trunk = None if trunk is None else checked.word(trunk, "trunk")
    items = parse(
        checked.text(text, "text"),
        checked.text(file, "file"),
        lambda code: known[code][0] if code in known else None,
        its_trunk,
        columns,
    )
    policy = loaded.marketplace.numbers_policy if loaded else NumbersPolicy()
    now = site.now()
    entry = Entry(now, str(actor), "numbers.import", file)
    return inventory.import_(site.engine, items, now, policy.quarantine, entry)


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter for numbers; None in a field: any value."""

    campaign: str | None = None
    publisher: str | None = None
    region: str | None = None
    kind: NumberKind | None = None
    status: Status | None = None


def listed(site: Site, asked: Asked) -> list[tuple[Holding, Status]]:
    """The numbers that are assigned or in stock, each with its present status. Raises Refused."""
    in_force(site.engine)
    now = site.now()
    found = [
        (holding, holding.status(now))
        for holding in inventory.holdings(site.engine)
        if asked.campaign in (None, holding.campaign)
        and asked.publisher in (None, holding.publisher)
        and asked.region in (None, holding.region)
        and asked.kind in (None, holding.kind)
    ]
    return [(holding, status) for holding, status in found if asked.status in (None, status)]


def history(site: Site, did: str) -> list[Assignment]:
    """All assignments of a number, oldest first. Raises Refused when it has never been a number here."""
    found = numbers.history(site.engine, checked.word(did, "did"))
    if not found:
        raise Refused(Code.NUMBER_UNKNOWN, did=did)
    return found


@dataclass(frozen=True, slots=True)
class Stock:
    """How many imported numbers there are by kind and state. Stock is low when fewer than `low_stock` are free."""

    shelves: list[Shelf]
    low_stock: int


def stock(site: Site) -> Stock:
    """How many numbers are free, assigned and in quarantine now. Raises Refused."""
    policy = in_force(site.engine).marketplace.numbers_policy
    now = site.now()
    shelves = stock_of((h.kind, h.region, h.status(now)) for h in inventory.holdings(site.engine))
    return Stock(shelves, policy.low_stock)


def check(wanted: Wanted, source: str | None) -> None:
    """Checks the number asked for, and the placement (`source`) where it will be shown. Raises Refused."""
    if wanted.did is not None:
        checked.word(wanted.did, "did")
    if wanted.region is not None and wanted.region not in STATE_NAMES:
        raise checked.invalid("state", "expected a state such as NY")
    if source is not None:
        checked.line(source, "source")


def give(change: Change, number: Number, wanted: Wanted, count: int) -> list[str]:
    """Assigns `count` free numbers as a part of a change: all of them, or none.

    The campaign and the publisher must be in force. Raises Refused.
    """
    has = numbers.count(change.connection, number.campaign, number.publisher)
    most = change.rules.campaigns[number.campaign].applications.numbers_per_publisher
    if has + count > most:
        raise Refused(
            Code.NUMBER_LIMIT, publisher=number.publisher, has=has, most=most, campaign=number.campaign
        )
    dids = inventory.free(change.connection, wanted, count, change.at)
    if len(dids) < count:
        raise _too_few(change, wanted, count, len(dids))
    numbers.begin(change.connection, dict.fromkeys(dids, number), change.at, "desk")
    return dids


def _too_few(change: Change, wanted: Wanted, count: int, free: int) -> Refused:
    did = wanted.did
    if did is None:
        kind = f" {wanted}" if str(wanted) else ""
        return Refused(Code.STOCK_IS_SHORT, wanted=count, free=free, kind=kind)
    held = numbers.holder(change.connection, did)
    if held is not None:
        return Refused(Code.NUMBER_IS_HELD, did=did, publisher=held.publisher, campaign=held.campaign)
    is_there = inventory.has(change.connection, did)
    return Refused(Code.NUMBER_RESTS if is_there else Code.NUMBER_NOT_IMPORTED, did=did)
