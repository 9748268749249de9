"""Conversions: which calls became sales, and which calls await a conversion."""

from __future__ import annotations

from collections.abc import Mapping

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.calls import Found, with_money
from ari_app.desk.refusals import by_code
from ari_app.desk.site import Site
from ari_app.domain.terms.conversions import Converted, Told, parse
from ari_app.store.money import conversions


@by_code()
def post(
    site: Site, actor: Actor, call_id: str, *, at: int | None = None, ref: str | None = None
) -> Converted:
    """Records that a call (by its full id) became a sale at a time (ms; default now).

    A call that awaits a conversion is judged by it at once; for any other call it is only recorded. `ref` is the
    sale's own name, such as an order number. The same conversion again changes nothing. Raises Refused.
    """
    now = site.now()
    name = None if ref is None else checked.line(ref, "ref")
    told = Told(checked.word(call_id, "call_id"), now if at is None else checked.moment(at, "at"), name)
    [outcome] = conversions.tell(site.engine, [told], now, str(actor))
    return outcome


@by_code()
def import_(site: Site, actor: Actor, csv: str, name: str) -> list[Converted]:
    """Records the conversions of a CSV text with the columns call, at and ref; `name` is the file's name in errors.

    With any mistake in the text, nothing is recorded. If the import is stopped half-way, importing the same text
    again records the rest. Raises DocumentError, Refused.
    """
    return conversions.tell(site.engine, parse(checked.text(csv, "csv"), name), site.now(), str(actor))


def latest(
    site: Site, limit: int, *, is_pending: bool = False, own: Mapping[str, str] | None = None
) -> list[Found]:
    """The converted calls, the last reported first, each with its money.

    `is_pending`: instead, the calls that await a conversion, the earliest deadline first. `own`: only those of this
    advertiser, publisher or destination, by what it is.
    """
    chosen = checked.words(own, conversions.OF_WHOM)
    return with_money(
        site, conversions.latest(site.engine, checked.limit(limit), waiting=is_pending, of_whom=chosen)
    )


def expire(site: Site, actor: Actor) -> int:
    """Judges as not converted the calls whose deadline passed a day ago; returns how many. Raises StoreError."""
    return conversions.expire(site.engine, site.now(), str(actor))
