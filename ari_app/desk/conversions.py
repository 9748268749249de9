"""Conversions: which calls became sales, and calls whose terms wait for that."""

from __future__ import annotations

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
    """Takes that a call, by its id in full, became a sale at a moment (ms; without one, now).

    A call that waits for it is judged by it at once; that of any other is noted. `ref` is the sale's own name, such as
    an order's number. Told again, it changes nothing. Raises Refused.
    """
    now = site.now()
    name = None if ref is None else checked.line(ref, "ref")
    told = Told(checked.word(call_id, "call_id"), now if at is None else checked.moment(at, "at"), name)
    [outcome] = conversions.tell(site.engine, [told], now, str(actor))
    return outcome


@by_code()
def import_(site: Site, actor: Actor, csv: str, name: str) -> list[Converted]:
    """Takes the conversions that a CSV text says, with the columns call, at and ref; `name` is what it is called.

    With any mistake nothing is taken. Stopped half-way, the same text takes the rest. Raises DocumentError, Refused.
    """
    return conversions.tell(site.engine, parse(checked.text(csv, "csv"), name), site.now(), str(actor))


def latest(site: Site, limit: int, *, is_pending: bool = False) -> list[Found]:
    """The calls that were converted, those first that were told last, each with its money.

    `is_pending`: those that wait for one, those first whose time ends first.
    """
    return with_money(site, conversions.latest(site.engine, checked.limit(limit), waiting=is_pending))


def expire(site: Site, actor: Actor) -> int:
    """Gives up waiting where a day has passed since a call's time; how many calls. Raises StoreError."""
    return conversions.expire(site.engine, site.now(), str(actor))
