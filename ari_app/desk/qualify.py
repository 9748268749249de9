"""Replay: past calls are judged again, under other terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ari_app.desk import checked
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.document.reading import parse
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.staging import in_force
from ari_app.domain.terms.repeats import longest_window
from ari_app.domain.terms.replay import Rejudged, replay
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.calls import calls
from ari_app.store.money import corrections


@dataclass(frozen=True, slots=True)
class Replayed:
    """Each call's verdict as it was and as it would be; and the currency of each campaign in the other terms."""

    calls: Sequence[Rejudged]
    currencies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OtherTerms:
    """A marketplace with other terms, its name, and which of its campaigns are to be replayed."""

    marketplace: Marketplace
    name: str
    campaigns: Sequence[str]


def other_terms(
    settings: Settings, text: str, name: str, now: int, campaign: str | None = None
) -> OtherTerms:
    """The terms at `now` (ms) of a marketplace in YAML that is called `name`; of one campaign, or of all.

    Raises DocumentError, Refused.
    """
    terms = in_force(parse(checked.text(text, "terms"), name, geography=geography.load(settings.home)), now)
    if campaign is not None and campaign not in terms.campaigns:
        raise Refused(Code.NOT_IN_TERMS, file=name, campaign=campaign, known=list(terms.campaigns))
    return OtherTerms(terms, name, list(terms.campaigns) if campaign is None else [campaign])


def judge_again(site: Site, terms: OtherTerms, *, since: int, until: int | None = None) -> Replayed:
    """Judges the calls that began from `since` until before `until` (ms; default now) under other terms.

    Nothing is changed, and no money moves. Raises Refused.
    """
    now, market = site.now(), terms.marketplace
    from_at, until = since - longest_window(market.campaigns.values()), now if until is None else until
    recorded = calls.between(site.engine, from_at, until)
    corrected = corrections.corrected(site.engine, from_at, until)
    tables = geography.load(site.settings.home)
    judged = [
        call
        for call in replay(recorded, market, tables, since, now, corrected)
        if call.before.campaign in terms.campaigns
    ]
    currencies = {id_: market.currency_of(one) for id_, one in market.campaigns.items()}
    _refuse_other_money(judged, currencies, terms.name)
    return Replayed(judged, currencies)


def _refuse_other_money(judged: Iterable[Rejudged], currencies: Mapping[str, str], file: str) -> None:
    """Raises Refused when a call and its other terms have different currencies: they cannot be compared."""
    for call in judged:
        name, money = call.before.campaign or "", call.before.money
        if money is not None and money.currency != currencies[name]:
            raise Refused(
                Code.OTHER_CURRENCY,
                file=file,
                campaign=name,
                currency=currencies[name],
                call=call.before.id,
                recorded=money.currency,
            )
