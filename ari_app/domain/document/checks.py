"""Checks between the parts of a marketplace: what must hold so that calls work.

The field types have already checked that each value is well formed. Here are the references between values,
the alternatives of which exactly one must be given, and the flows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ari_app.domain.basics.areacodes import is_of_a_place
from ari_app.domain.basics.money import CURRENCIES, format_amount
from ari_app.domain.basics.states import ALL_PARTY_CONSENT
from ari_app.domain.basics.yamltext import Complaint, FieldPath
from ari_app.domain.calls.geo import overlaid
from ari_app.domain.caps.counters import measure
from ari_app.domain.document.flowchecks import answers_of, check_flow
from ari_app.domain.document.termchecks import check_terms
from ari_app.domain.document.transferchecks import check_transfer
from ari_app.domain.document.world import World, check_coverage, check_name, check_prompt, listed
from ari_app.domain.ivr import whisper
from ari_app.domain.market.campaigns import Campaign, Recording, Route, Wave
from ari_app.domain.market.creatives import complaints_about
from ari_app.domain.market.destinations import Destination, Dial, leads_back
from ari_app.domain.market.geography import GeographyOverrides
from ari_app.domain.market.marketplace import Creative, Marketplace
from ari_app.domain.market.parties import Advertiser, Cap
from ari_app.domain.market.staging import staged
from ari_app.domain.market.trunks import why_not_dial

MOST_ZIPS = 5_000  # all are read at once, while calls wait


def check(marketplace: Marketplace, world: World) -> Iterator[Complaint]:
    """A complaint about everything that would keep calls from working, and about currencies that do not exist."""
    yield from _geography(("geography",), marketplace.geography)
    if world.geography is not None:
        world = replace(world, geography=overlaid(world.geography, marketplace.geography))
    for path, code in _currencies(marketplace):
        if code not in CURRENCIES:
            yield Complaint(path, f"there is no currency '{code}' in ISO 4217")
    for name, advertiser in marketplace.advertisers.items():
        yield from _advertiser(("advertisers", name), advertiser, marketplace.currency)
    for name, publisher in marketplace.publishers.items():
        yield from _caps(("publishers", name, "caps"), publisher.caps, marketplace.currency)
    for name, destination in marketplace.destinations.items():
        yield from _destination(("destinations", name), destination, marketplace, world)
    for name, trunk in marketplace.trunks.items():
        if trunk.spend is not None and not trunk.cost_per_minute:
            message = "expected a cost_per_minute too: what is spent is counted by it"
            yield Complaint(("trunks", name, "spend"), message)
    for name in marketplace.trunks if world.trunks is not None else ():
        yield from check_name(("trunks", name), name, world.trunks or (), "trunk")
    for name, flow in marketplace.flows.items():
        yield from check_flow(("flows", name), flow, world)
    for name, campaign in marketplace.campaigns.items():
        yield from _campaign(("campaigns", name), campaign, marketplace, world)
    for name, creative in marketplace.creatives.items():
        yield from _creative(("creatives", name), creative, marketplace, world)
    for did, number in marketplace.numbers.items():
        path = ("numbers", did)
        yield from check_name((*path, "campaign"), number.campaign, marketplace.campaigns, "campaign")
        yield from check_name((*path, "publisher"), number.publisher, marketplace.publishers, "publisher")


def _geography(path: FieldPath, overrides: GeographyOverrides) -> Iterator[Complaint]:
    for code in overrides.area_codes:
        if not is_of_a_place(code):
            yield Complaint(
                (*path, "area_codes", code), f"the area code {code} is no place's: its numbers are anywhere"
            )
    if len(overrides.zips) > MOST_ZIPS:
        found = f"got {len(overrides.zips):,}"
        yield Complaint((*path, "zips"), f"expected at most {MOST_ZIPS:,} ZIP codes of your own, {found}")


def _currencies(marketplace: Marketplace) -> Iterator[tuple[FieldPath, str]]:
    """Every place where a currency is named."""
    yield ("currency",), marketplace.currency
    for part in ("advertisers", "publishers", "destinations", "campaigns"):
        for name, owner in getattr(marketplace, part).items():
            for index, cap in enumerate(owner.caps):
                if cap.currency is not None:
                    yield (part, name, "caps", index, "currency"), cap.currency
    for name, campaign in marketplace.campaigns.items():
        if campaign.currency is not None:
            yield ("campaigns", name, "currency"), campaign.currency
    for name, advertiser in marketplace.advertisers.items():
        limit = advertiser.billing.credit_limit if advertiser.billing is not None else None
        for code in limit if isinstance(limit, Mapping) else ():
            yield ("advertisers", name, "billing", "credit_limit"), code


def _advertiser(path: FieldPath, advertiser: Advertiser, currency: str) -> Iterator[Complaint]:
    yield from _caps((*path, "caps"), advertiser.caps, currency)
    billing = advertiser.billing
    if billing is None:
        return
    if billing.model == "postpaid" and billing.credit_limit is None:
        yield Complaint((*path, "billing"), "expected a credit_limit, as the model is postpaid")
    if billing.model == "prepaid" and billing.credit_limit is not None:
        yield Complaint((*path, "billing", "credit_limit"), "a prepaid advertiser has no credit_limit")


def _caps(path: FieldPath, caps: tuple[Cap, ...], currency: str) -> Iterator[Complaint]:
    seen: set[str] = set()
    for index, cap in enumerate(caps):
        yield from _cap((*path, index), cap)
        if measure(cap, currency) in seen:
            yield Complaint(
                (*path, index), "this cap is there twice: there is another of the same kind and period"
            )
        seen.add(measure(cap, currency))


def _cap(path: FieldPath, cap: Cap) -> Iterator[Complaint]:
    given = [name for name in ("max", "max_amount", "concurrent") if getattr(cap, name) is not None]
    if len(given) != 1:
        yield Complaint(path, f"expected exactly one of max, max_amount or concurrent, got {listed(given)}")
    if cap.max_amount == 0:
        yield Complaint((*path, "max_amount"), "expected more than zero")
    if given == ["concurrent"] and cap.per is not None:
        yield Complaint((*path, "per"), "a concurrent cap has no period")
    if given in (["max"], ["max_amount"]) and cap.per is None:
        yield Complaint(path, "expected per: hour, day, week, month or total")
    if given != ["max"] and cap.basis != "qualified":
        yield Complaint((*path, "basis"), "a basis is only for max")
    if given != ["max_amount"] and cap.currency is not None:
        yield Complaint((*path, "currency"), "a currency is only for max_amount")


def _destination(
    path: FieldPath, destination: Destination, marketplace: Marketplace, world: World
) -> Iterator[Complaint]:
    yield from check_name(
        (*path, "advertiser"), destination.advertiser, marketplace.advertisers, "advertiser"
    )
    yield from _dial((*path, "dial"), destination.dial, world)
    other = marketplace.trunks.get(destination.dial.or_trunk or "")
    if other is not None and other.spend is not None:
        message = (
            f"trunk {destination.dial.or_trunk} has a limit of spend, which counts no leg that it dials so"
        )
        yield Complaint((*path, "dial", "or_trunk"), message)
    barred = why_not_dial(destination, marketplace.trunks)
    if barred is not None:
        yield Complaint((*path, "dial", "phone"), barred)
    back = leads_back(destination.dial, marketplace.numbers)
    if back is not None:
        field, number = back
        message = (
            f"{number} is a tracking number (numbers.{number}): the call would come in again; dial the agent"
        )
        yield Complaint((*path, "dial", field), message)
    yield from check_coverage((*path, "covers"), destination.covers, world)
    yield from _caps((*path, "caps"), destination.caps, marketplace.currency)


def _dial(path: FieldPath, dial: Dial, world: World) -> Iterator[Complaint]:
    given = [name for name in ("uri", "extension", "phone") if getattr(dial, name) is not None]
    if len(given) != 1:
        yield Complaint(path, f"expected exactly one of uri, extension or phone, got {listed(given)}")
    if dial.phone is not None and dial.trunk is None:
        yield Complaint(path, "expected a trunk to dial the phone by")
    if dial.trunk is not None and dial.phone is None:
        yield Complaint((*path, "trunk"), "a trunk is only for a phone")
    if dial.or_trunk is not None and dial.or_trunk == dial.trunk:
        yield Complaint((*path, "or_trunk"), "expected another trunk than that in trunk")
    if dial.or_trunk is not None and dial.trunk is None:
        yield Complaint((*path, "or_trunk"), "another trunk is only for a phone that has a trunk")
    for field, trunk in (("trunk", dial.trunk), ("or_trunk", dial.or_trunk)):
        if trunk is not None and world.trunks is not None:
            yield from check_name((*path, field), trunk, world.trunks, "trunk")


def _currency(path: FieldPath, campaign: Campaign, marketplace: Marketplace) -> Iterator[Complaint]:
    """Checks that caps and credit limits fit the campaign's currency."""
    currency = marketplace.currency_of(campaign)
    yield from _caps((*path, "caps"), campaign.caps, currency)
    for index, cap in enumerate(campaign.caps):
        if cap.currency not in (None, currency):
            yield Complaint(
                (*path, "caps", index, "currency"), f"a campaign's cap is in its own currency, {currency}"
            )
    advertiser = marketplace.advertisers.get(campaign.advertiser)
    if advertiser is None or advertiser.billing is None or advertiser.billing.credit_limit is None:
        return
    if not marketplace.credit_of(campaign.advertiser, currency):
        yield Complaint(
            ("advertisers", campaign.advertiser, "billing", "credit_limit"),
            f"expected a limit in {currency}, the currency of campaign {path[-1]}, "
            f"such as {{{currency}: {format_amount(50_000, currency)}}}",
        )


def _campaign(
    path: FieldPath, campaign: Campaign, marketplace: Marketplace, world: World
) -> Iterator[Complaint]:
    yield from check_name((*path, "advertiser"), campaign.advertiser, marketplace.advertisers, "advertiser")
    yield from _currency(path, campaign, marketplace)
    if campaign.flow is not None:
        yield from check_name((*path, "flow"), campaign.flow, marketplace.flows, "flow")
    route = campaign.route
    if not route.waves and campaign.status != "draft":
        yield Complaint((*path, "route", "waves"), "expected at least one wave")
    for index, wave in enumerate(route.waves):
        yield from _wave((*path, "route", "waves", index), wave, campaign.advertiser, marketplace)
    yield from check_prompt((*path, "route", "accept_prompt"), route.accept_prompt, world)
    yield from check_prompt((*path, "route", "fallback", "play"), route.fallback.play, world)
    yield from check_prompt((*path, "screen", "announce"), campaign.screen.announce, world)
    yield from _recording((*path, "recording"), campaign.recording, world)
    flow = marketplace.flows.get(campaign.flow) if campaign.flow is not None else None
    answers = answers_of(flow) if flow is not None else set()
    yield from _whisper((*path, "route", "whisper"), route, answers, world)
    yield from check_terms(path, campaign, marketplace, answers, world)
    yield from check_transfer((*path, "transfer"), campaign, marketplace, world)
    yield from _invited(path, campaign, marketplace)
    later = staged(campaign)
    if later is not None:
        for complaint in check_terms((*path, "staged"), later, marketplace, answers, world):
            if getattr(campaign.staged, str(complaint.path[len(path) + 1])) is not None:
                yield complaint


def _recording(path: FieldPath, recording: Recording | None, world: World) -> Iterator[Complaint]:
    if recording is None:
        return
    consent = recording.consent
    yield from check_prompt((*path, "consent", "prompt"), consent.prompt, world)
    if consent.everywhere and consent.states != ALL_PARTY_CONSENT:
        yield Complaint((*path, "consent"), "expected only everywhere, got states as well")


def _invited(path: FieldPath, campaign: Campaign, marketplace: Marketplace) -> Iterator[Complaint]:
    for publisher in sorted(campaign.invited):
        yield from check_name((*path, "invited"), publisher, marketplace.publishers, "publisher")
    if campaign.invited and campaign.visibility != "invited":
        yield Complaint((*path, "invited"), "a public campaign invites nobody; expected visibility: invited")


def _whisper(path: FieldPath, route: Route, answers: Collection[str], world: World) -> Iterator[Complaint]:
    if route.whisper is None:
        return
    yield from check_prompt(path, route.whisper, world)
    if route.accept == "answer":
        yield Complaint(path, "a whisper is heard before the key is pressed; expected accept: press-1")
    known = {whisper.STATE, *answers}
    for name in whisper.names(route.whisper):
        if name not in known:
            yield Complaint(
                path, f"'{{{name}}}' is no answer of the campaign's flow, nor {{{whisper.STATE}}}"
            )


def _wave(path: FieldPath, wave: Wave, advertiser: str, marketplace: Marketplace) -> Iterator[Complaint]:
    path = (*path, "destinations")
    if not wave.destinations:
        yield Complaint(path, "expected at least one destination")
    seen: set[str] = set()
    for index, name in enumerate(wave.destinations):
        yield from check_name((*path, index), name, marketplace.destinations, "destination")
        destination = marketplace.destinations.get(name)
        if destination is not None and destination.advertiser != advertiser:
            message = f"'{name}' belongs to {destination.advertiser}, not to the campaign's {advertiser}"
            yield Complaint((*path, index), message)
        if name in seen:
            yield Complaint((*path, index), f"'{name}' is in this wave twice")
        seen.add(name)


def _creative(
    path: FieldPath, creative: Creative, marketplace: Marketplace, world: World
) -> Iterator[Complaint]:
    yield from check_name((*path, "campaign"), creative.campaign, marketplace.campaigns, "campaign")
    for field, message in complaints_about(creative):
        yield Complaint((*path, field), message)
    complaint = world.images(creative) if creative.image is not None and world.images is not None else None
    if complaint is not None:
        yield Complaint((*path, "image"), complaint)
