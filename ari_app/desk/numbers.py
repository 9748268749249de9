"""Tracking numbers: imported, given to publishers, taken back; and what there is to be known of them."""

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
    """Gives a free number to a publisher for a campaign, that which has rested longest. Raises Refused, StoreError."""
    check(wanted, source)
    checked.words({"campaign": campaign, "publisher": publisher}, ("campaign", "publisher"))
    with changing(site, actor) as change:
        change.require(campaign, publisher)
        (did,) = give(change, Number(campaign, publisher, source), wanted, 1)
        change.note("numbers.assign", did, campaign=campaign, publisher=publisher)
        return did


@retried
def release(site: Site, actor: Actor, did: str) -> tuple[Assignment, int]:
    """Takes back a number that the desk assigned; says whose it was, and until when (ms) it rests.

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
    """Adds the numbers of a CSV text to the stock, and corrects what is said of those there.

    `file` is its name in complaints, `trunk` that of rows which name none, `columns` names ours in the file. Raises
    DocumentError, Refused, StoreError, GeographyError.
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
    """Which numbers are asked for; None: any."""

    campaign: str | None = None
    publisher: str | None = None
    region: str | None = None
    kind: NumberKind | None = None
    status: Status | None = None


def listed(site: Site, asked: Asked) -> list[tuple[Holding, Status]]:
    """The numbers that somebody has or that are in stock, and what they are now. Raises Refused."""
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
    """All that a number was, oldest first. Raises Refused when it never was one here."""
    found = numbers.history(site.engine, checked.word(did, "did"))
    if not found:
        raise Refused(Code.NUMBER_UNKNOWN, did=did)
    return found


@dataclass(frozen=True, slots=True)
class Stock:
    """The imported numbers by kind and state. Fewer free than `low_stock` are few."""

    shelves: list[Shelf]
    low_stock: int


def stock(site: Site) -> Stock:
    """What is free, assigned, in quarantine now. Raises Refused."""
    policy = in_force(site.engine).marketplace.numbers_policy
    now = site.now()
    shelves = stock_of((h.kind, h.region, h.status(now)) for h in inventory.holdings(site.engine))
    return Stock(shelves, policy.low_stock)


def check(wanted: Wanted, source: str | None) -> None:
    """Looks at which number is asked for, and at the placement that it is to be shown on. Raises Refused."""
    if wanted.did is not None:
        checked.word(wanted.did, "did")
    if wanted.region is not None and wanted.region not in STATE_NAMES:
        raise checked.invalid("state", "expected a state such as NY")
    if source is not None:
        checked.line(source, "source")


def give(change: Change, number: Number, wanted: Wanted, count: int) -> list[str]:
    """Gives `count` free numbers, of a campaign and a publisher in force, as a part of a change: all of them, or none.

    Raises Refused.
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
