"""What each party sees: its lens, a call through it, and the exceptions that the operator makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ari_app.access import sights, veil
from ari_app.access.actor import Actor
from ari_app.access.lens import Lens
from ari_app.access.parties import ROLES, Party, party_of
from ari_app.access.sights import Exceptions, Sight, Unsightly
from ari_app.desk.calls import Found
from ari_app.desk.checked import invalid
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.store.people import sights as store


@dataclass(frozen=True, slots=True)
class Row:
    """How a party (or a kind of party) sees a topic, and whether the operator said so."""

    party: str
    topic: str
    sight: Sight
    is_exception: bool


def lens_of(site: Site, party: Party) -> Lens:
    """How this party sees. Raises StoreError."""
    return (
        Lens(party)
        if party.kind == "operator"
        else Lens(party, _exceptions(site), store.code_key(site.engine))
    )


def seen(lens: Lens, found: Found) -> Found | None:
    """A call as this party may know it, to be told by the views with `lens.sees` and `lens.shown`. None: not theirs."""
    if not veil.owns(lens, found.record):
        return None
    return Found(
        veil.veiled(lens, found.record),
        veil.transfers_of(lens, found.transfers),
        veil.disputes_of(lens, found.disputes, found.record),
    )


def listed(site: Site, party: str | None = None) -> list[Row]:
    """Each topic as each kind of party sees it, and the exceptions; or each topic as one party sees it.

    Raises Refused, StoreError.
    """
    exceptions = _exceptions(site)
    parties = [_party(party)] if party is not None else [Party(kind) for kind in ROLES if kind != "operator"]
    rows = [
        Row(str(one), topic, exceptions.of(one, topic), (str(one), topic) in exceptions.sights)
        for one in parties
        for topic in sights.TOPICS
    ]
    if party is None:
        rows += [
            Row(of, topic, sight, True)
            for (of, topic), sight in sorted(exceptions.sights.items())
            if ":" in of
        ]
    return rows


def set_(site: Site, actor: Actor, party: str, topic: str, sight: str | None) -> None:
    """Widens or narrows what a party (`publisher:pacific`), or each of a kind (`publisher`), sees of a topic.

    None: as the table says. Raises Refused, StoreError.
    """
    of = _party(party)
    try:
        wanted = None if sight is None else Sight(sight)
        sights.check(topic, wanted or Sight.WHOLE)
    except Unsightly as error:
        raise invalid("sight" if topic in sights.TOPICS else "topic", str(error)) from error
    except ValueError as error:
        raise invalid("sight", f"expected one of {', '.join(Sight)}, got {sight!r}") from error
    facts: Mapping[str, object] = {"topic": topic, "sight": sight}
    entry = Entry(site.now(), str(actor), "visibility.set", str(of), facts)
    store.set_(site.engine, str(of), topic, wanted and str(wanted), entry)


def _exceptions(site: Site) -> Exceptions:
    return Exceptions({key: Sight(sight) for key, sight in store.exceptions(site.engine).items()})


def _party(text: str) -> Party:
    """A party, or a kind of party; never the operator, who sees everything."""
    for kind in ROLES:
        if text == kind != "operator":
            return Party(kind)
    try:
        found = party_of(text)
    except ValueError as error:
        raise invalid("party", str(error)) from error
    if found.kind == "operator":
        raise invalid("party", "the operator sees everything")
    return found
