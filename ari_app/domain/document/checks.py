"""What must hold between the parts of a marketplace, for any call to work under it.

The field types have seen to it that each value is well formed; here are the references between them,
the alternatives of which exactly one must be given, and the flows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches

from ari_app.domain.basics.money import CURRENCIES, format_amount
from ari_app.domain.basics.states import ALL_PARTY_CONSENT
from ari_app.domain.basics.yamltext import Complaint, FieldPath
from ari_app.domain.calls.geo import Geography, area_of
from ari_app.domain.caps.counters import measure
from ari_app.domain.ivr import whisper
from ari_app.domain.market.campaigns import Campaign, Recording, Route, Wave
from ari_app.domain.market.creatives import complaints_about
from ari_app.domain.market.destinations import Coverage, Destination, Dial
from ari_app.domain.market.flows import Collect, Flow, Node
from ari_app.domain.market.marketplace import Creative, Marketplace
from ari_app.domain.market.parties import Advertiser, Cap
from ari_app.domain.market.staging import staged
from ari_app.domain.market.terms import Bonus, Clause, Rate
from ari_app.domain.market.trunks import why_not_dial

MENU_KEYS = frozenset("0123456789*#")
CLAUSE_KINDS = tuple(field.name for field in fields(Clause))
BRANCH_KINDS = ("answer_in", "caller_in", "within_hours")

_ASKING = {"tries", "on_no_input", "on_invalid", "invalid_prompt", "barge_in", "timers"}
_NODE_FIELDS: dict[str, set[str]] = {
    "menu": {"choices", *_ASKING},
    "collect": {"next", *_ASKING},
    "branch": {"otherwise"},
    "play": {"next", "hangup"},
    "offer": set(),
    "hangup": set(),
}
_MOST_TO_COMPARE = 500


@dataclass(frozen=True, slots=True)
class World:
    """What a marketplace is checked against; None: not checked.

    `prompts` answers with a complaint about a prompt that cannot be played, or None. `trunks` are
    those that exist. `images` answers with a complaint about a creative's image, or None. `geography` knows
    the ZIP codes.
    """

    prompts: Callable[[str], str | None] | None = None
    trunks: Collection[str] | None = None
    images: Callable[[Creative], str | None] | None = None
    geography: Geography | None = None


def check(marketplace: Marketplace, world: World) -> Iterator[Complaint]:
    """Everything that keeps calls from working, or that names a currency which there is not."""
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
        yield from _known(("trunks", name), name, world.trunks or (), "trunk")
    for name, flow in marketplace.flows.items():
        yield from _flow(("flows", name), flow, world)
    for name, campaign in marketplace.campaigns.items():
        yield from _campaign(("campaigns", name), campaign, marketplace, world)
    for name, creative in marketplace.creatives.items():
        yield from _creative(("creatives", name), creative, marketplace, world)
    for did, number in marketplace.numbers.items():
        path = ("numbers", did)
        yield from _known((*path, "campaign"), number.campaign, marketplace.campaigns, "campaign")
        yield from _known((*path, "publisher"), number.publisher, marketplace.publishers, "publisher")


def _currencies(marketplace: Marketplace) -> Iterator[tuple[FieldPath, str]]:
    """Wherever a currency is named."""
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


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`; did you mean 'price'?`, or nothing. Too many to compare: nothing."""
    close = get_close_matches(word, known, n=1) if len(known) <= _MOST_TO_COMPARE else []
    return f"; did you mean '{close[0]}'?" if close else ""


def _known(path: FieldPath, name: str, known: Collection[str], what: str) -> Iterator[Complaint]:
    if name not in known:
        yield Complaint(path, f"there is no {what} '{name}'{did_you_mean(name, known)}")


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
        yield Complaint(path, f"expected exactly one of max, max_amount or concurrent, got {_listed(given)}")
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


# Destinations


def _destination(
    path: FieldPath, destination: Destination, marketplace: Marketplace, world: World
) -> Iterator[Complaint]:
    yield from _known((*path, "advertiser"), destination.advertiser, marketplace.advertisers, "advertiser")
    yield from _dial((*path, "dial"), destination.dial, world)
    barred = why_not_dial(destination, marketplace.trunks)
    if barred is not None:
        yield Complaint((*path, "dial", "phone"), barred)
    yield from _coverage((*path, "covers"), destination.covers, world)
    yield from _caps((*path, "caps"), destination.caps, marketplace.currency)


def _dial(path: FieldPath, dial: Dial, world: World) -> Iterator[Complaint]:
    given = [name for name in ("uri", "extension", "phone") if getattr(dial, name) is not None]
    if len(given) != 1:
        yield Complaint(path, f"expected exactly one of uri, extension or phone, got {_listed(given)}")
    if dial.phone is not None and dial.trunk is None:
        yield Complaint(path, "expected a trunk to dial the phone by")
    if dial.trunk is not None and dial.phone is None:
        yield Complaint((*path, "trunk"), "a trunk is only for a phone")
    if dial.trunk is not None and world.trunks is not None:
        yield from _known((*path, "trunk"), dial.trunk, world.trunks, "trunk")


def _coverage(path: FieldPath, coverage: Coverage, world: World) -> Iterator[Complaint]:
    places = [name for name in ("states", "zips", "area_codes", "zip") if getattr(coverage, name)]
    if coverage.anywhere and places:
        yield Complaint(path, f"expected only anywhere, got {_listed(places)} as well")
    if not coverage.anywhere and not places and coverage.radius_miles is None:
        yield Complaint(
            path, "expected states, zips, area_codes, a zip with radius_miles, or anywhere: true; got nothing"
        )
    if (coverage.zip is None) != (coverage.radius_miles is None):
        yield Complaint(path, "expected zip and radius_miles together, got one of them")
    if world.geography is not None:
        yield from _known_zips(path, coverage, world.geography)


def _known_zips(path: FieldPath, coverage: Coverage, geography: Geography) -> Iterator[Complaint]:
    unknown = sorted(coverage.zips - geography.zips.keys())
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        yield Complaint((*path, "zips"), f"there is no ZIP code {', '.join(unknown[:3])}{more}")
    try:
        area_of(coverage, geography)
    except ValueError as error:
        yield Complaint((*path, "zip"), str(error))


# Campaigns


def _currency(path: FieldPath, campaign: Campaign, marketplace: Marketplace) -> Iterator[Complaint]:
    """All that a campaign's money meets is in its currency."""
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
    yield from _known((*path, "advertiser"), campaign.advertiser, marketplace.advertisers, "advertiser")
    yield from _currency(path, campaign, marketplace)
    if campaign.flow is not None:
        yield from _known((*path, "flow"), campaign.flow, marketplace.flows, "flow")
    route = campaign.route
    if not route.waves and campaign.status != "draft":
        yield Complaint((*path, "route", "waves"), "expected at least one wave")
    for index, wave in enumerate(route.waves):
        yield from _wave((*path, "route", "waves", index), wave, campaign.advertiser, marketplace)
    yield from _prompt((*path, "route", "accept_prompt"), route.accept_prompt, world)
    yield from _prompt((*path, "route", "fallback", "play"), route.fallback.play, world)
    yield from _prompt((*path, "screen", "announce"), campaign.screen.announce, world)
    yield from _recording((*path, "recording"), campaign.recording, world)
    flow = marketplace.flows.get(campaign.flow) if campaign.flow is not None else None
    answers = _answers(flow) if flow is not None else set()
    yield from _whisper((*path, "route", "whisper"), route, answers, world)
    yield from _terms(path, campaign, marketplace, answers, world)
    yield from _invited(path, campaign, marketplace)
    later = staged(campaign)
    if later is not None:
        for complaint in _terms((*path, "staged"), later, marketplace, answers, world):
            if getattr(campaign.staged, str(complaint.path[len(path) + 1])) is not None:
                yield complaint


def _recording(path: FieldPath, recording: Recording | None, world: World) -> Iterator[Complaint]:
    if recording is None:
        return
    consent = recording.consent
    yield from _prompt((*path, "consent", "prompt"), consent.prompt, world)
    if consent.everywhere and consent.states != ALL_PARTY_CONSENT:
        yield Complaint((*path, "consent"), "expected only everywhere, got states as well")


def _invited(path: FieldPath, campaign: Campaign, marketplace: Marketplace) -> Iterator[Complaint]:
    for publisher in sorted(campaign.invited):
        yield from _known((*path, "invited"), publisher, marketplace.publishers, "publisher")
    if campaign.invited and campaign.visibility != "invited":
        yield Complaint((*path, "invited"), "a public campaign invites nobody; expected visibility: invited")


def _terms(
    path: FieldPath, campaign: Campaign, marketplace: Marketplace, answers: Collection[str], world: World
) -> Iterator[Complaint]:
    for name in ("qualify", "price_when", "payout_when"):
        yield from _clauses((*path, name), getattr(campaign, name), answers, world)
    for index, bonus in enumerate(campaign.bonus):
        yield from _bonus((*path, "bonus", index), bonus, answers, world)
    names = [bonus.name for bonus in campaign.bonus]
    for name in {name for name in names if names.count(name) > 1}:
        yield Complaint((*path, "bonus"), f"two of them are named '{name}'")
    yield from _rate((*path, "price"), campaign.price, ("per_minute",))
    yield from _rate((*path, "payout"), campaign.payout, ("per_minute", "share"))
    for publisher, override in campaign.overrides.items():
        own = (*path, "overrides", publisher)
        yield from _known(own, publisher, marketplace.publishers, "publisher")
        yield from _rate((*own, "payout"), override.payout, ("per_minute", "share"))
        yield from _clauses((*own, "payout_when"), override.payout_when or (), answers, world)


def _whisper(path: FieldPath, route: Route, answers: Collection[str], world: World) -> Iterator[Complaint]:
    if route.whisper is None:
        return
    yield from _prompt(path, route.whisper, world)
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
        yield from _known((*path, index), name, marketplace.destinations, "destination")
        destination = marketplace.destinations.get(name)
        if destination is not None and destination.advertiser != advertiser:
            message = f"'{name}' belongs to {destination.advertiser}, not to the campaign's {advertiser}"
            yield Complaint((*path, index), message)
        if name in seen:
            yield Complaint((*path, index), f"'{name}' is in this wave twice")
        seen.add(name)


def _bonus(path: FieldPath, bonus: Bonus, answers: Collection[str], world: World) -> Iterator[Complaint]:
    if not bonus.when:
        yield Complaint((*path, "when"), "expected at least one clause; what every call earns is no bonus")
    if not bonus.price and not bonus.payout:
        yield Complaint(path, "expected a price or a payout of more than 0")
    yield from _clauses((*path, "when"), bonus.when, answers, world)


def _rate(path: FieldPath, rate: int | Rate | None, kinds: tuple[str, ...]) -> Iterator[Complaint]:
    if rate is None or isinstance(rate, int):
        return
    given = [kind for kind in ("per_minute", "share") if getattr(rate, kind) is not None]
    if len(given) != 1 or given[0] not in kinds:
        yield Complaint(
            path, f"expected an amount or exactly one of {', '.join(kinds)}, got {_listed(given)}"
        )
    if rate.minimum is not None and rate.maximum is not None and rate.minimum > rate.maximum:
        yield Complaint((*path, "minimum"), "expected at most the maximum")


def _clauses(
    path: FieldPath, clauses: Iterable[Clause], answers: Collection[str], world: World
) -> Iterator[Complaint]:
    for index, clause in enumerate(clauses):
        yield from _clause((*path, index), clause, CLAUSE_KINDS, answers, world)


def _clause(
    path: FieldPath, clause: Clause, allowed: tuple[str, ...], answers: Collection[str], world: World
) -> Iterator[Complaint]:
    given = [name for name in CLAUSE_KINDS if getattr(clause, name) is not None]
    if len(given) != 1 or given[0] not in allowed:
        yield Complaint(path, f"expected exactly one of {', '.join(allowed)}, got {_listed(given)}")
    if clause.caller_in is not None:
        yield from _coverage((*path, "caller_in"), clause.caller_in, world)
    if clause.source_in is not None and not clause.source_in:
        yield Complaint((*path, "source_in"), "expected at least one source")
    repeat = clause.no_repeat
    if repeat is not None and (repeat.basis, repeat.scope) == ("any", "destination"):
        message = (
            "a call that reached no destination is a repeat to none; expected basis connected or qualified"
        )
        yield Complaint((*path, "no_repeat_within"), message)
    if clause.answer_in is not None:
        yield from _answer_in((*path, "answer_in"), clause.answer_in, answers)


def _answer_in(
    path: FieldPath, wanted: Mapping[str, Collection[str]], answers: Collection[str]
) -> Iterator[Complaint]:
    if not wanted:
        yield Complaint(path, "expected an answer's name and its values")
    for name, values in wanted.items():
        if not values:
            yield Complaint((*path, name), "expected at least one value")
        if name not in answers:
            yield Complaint(
                (*path, name), f"no node of the flow sets the answer '{name}'{did_you_mean(name, answers)}"
            )


# Flows


def _flow(path: FieldPath, flow: Flow, world: World) -> Iterator[Complaint]:
    answers = _answers(flow)
    complaints = list(_known((*path, "start"), flow.start, flow.nodes, "node"))
    for name, node in flow.nodes.items():
        node_path = (*path, "nodes", name)
        complaints += _node(node_path, node, answers, world)
        for edge, target in _edges(node):
            complaints += _known((*node_path, *edge), target, flow.nodes, "node")
    yield from complaints
    if not complaints:  # otherwise one slip would be reported many times over
        yield from _ways(path, flow)


def _node(path: FieldPath, node: Node, answers: Collection[str], world: World) -> Iterator[Complaint]:
    kinds = [kind for kind in _NODE_FIELDS if getattr(node, kind) is not None]
    if kinds == ["play", "hangup"]:
        kinds = ["play"]
    if len(kinds) != 1:
        yield Complaint(path, f"expected exactly one of {', '.join(_NODE_FIELDS)}; got {_listed(kinds)}")
        return
    for name in _set_fields(node) - _NODE_FIELDS[kinds[0]] - {kinds[0]}:
        yield Complaint((*path, name), f"a node with {kinds[0]} has no {name}")
    if kinds[0] in _NODE_CHECKS:
        yield from _NODE_CHECKS[kinds[0]](path, node)
    for index, branch in enumerate(node.branch or ()):
        yield from _clause((*path, "branch", index, "when"), branch.when, BRANCH_KINDS, answers, world)
    for place, prompt in _prompts(node):
        yield from _prompt((*path, *place), prompt, world)


def _set_fields(node: Node) -> set[str]:
    """The fields that differ from their defaults."""
    return {
        field.name
        for field in fields(node)
        if field.default is not MISSING and getattr(node, field.name) != field.default
    }


def _menu(path: FieldPath, node: Node) -> Iterator[Complaint]:
    if not node.choices:
        yield Complaint(path, "expected choices: the keys of the menu and where each leads")
    for key in node.choices or ():
        if key not in MENU_KEYS:
            yield Complaint((*path, "choices", key), "expected a single key: 0 to 9, * or #")


def _collect(path: FieldPath, node: Node) -> Iterator[Complaint]:
    if node.next is None:
        yield Complaint(path, "expected next: the node after the digits")
    collect = node.collect
    if collect is not None:
        yield from _digits((*path, "collect"), collect)


def _digits(path: FieldPath, collect: Collect) -> Iterator[Complaint]:
    if collect.min_digits is not None and collect.min_digits > collect.digits:
        yield Complaint((*path, "min_digits"), f"expected at most digits, which is {collect.digits}")
    if collect.check == "us-zip" and (collect.digits != 5 or collect.min_digits not in (None, 5)):
        yield Complaint((*path, "digits"), "expected 5, as the check is us-zip")


def _branch(path: FieldPath, node: Node) -> Iterator[Complaint]:
    if not node.branch:
        yield Complaint((*path, "branch"), "expected at least one item with when and next")
    if node.otherwise is None:
        yield Complaint(path, "expected otherwise: the node where no item holds")


def _play(path: FieldPath, node: Node) -> Iterator[Complaint]:
    if (node.next is None) == (node.hangup is None):
        yield Complaint(path, "expected either next or hangup: true after play")


_NODE_CHECKS: dict[str, Callable[[FieldPath, Node], Iterator[Complaint]]] = {
    "menu": _menu,
    "collect": _collect,
    "branch": _branch,
    "play": _play,
}


def _ways(path: FieldPath, flow: Flow) -> Iterator[Complaint]:
    """Where the flow leads: every node is reached, an offer too, and silence comes to an end."""
    ways = {name: [target for _, target in _edges(node)] for name, node in flow.nodes.items()}
    reached = _reached(flow.start, ways)
    for name in flow.nodes:
        if name not in reached:
            yield Complaint((*path, "nodes", name), f"nothing leads here from the start '{flow.start}'")
    if not any(flow.nodes[name].offer for name in reached):
        yield Complaint((*path, "start"), "nothing leads from here to a node with offer: true")
    silent = {name: list(_silent_edges(node)) for name, node in flow.nodes.items()}
    for name in flow.nodes:
        if any(name in _reached(target, silent) for target in silent[name]):
            yield Complaint((*path, "nodes", name), "a caller who presses nothing comes back here for ever")
            return


def _reached(start: str, ways: Mapping[str, Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += ways[name]
    return reached


def _edges(node: Node) -> Iterator[tuple[FieldPath, str]]:
    """Where a node leads: the place in the node that says so, and the node it names."""
    for key, choice in (node.choices or {}).items():
        yield ("choices", key, "next"), choice.next
    for index, branch in enumerate(node.branch or ()):
        yield ("branch", index, "next"), branch.next
    for name in ("otherwise", "next", "on_no_input", "on_invalid"):
        target = getattr(node, name)
        if target is not None:
            yield (name,), target


def _silent_edges(node: Node) -> Iterator[str]:
    """Where a node leads a caller who presses nothing."""
    if node.menu is not None or node.collect is not None:
        if node.on_no_input is not None:
            yield node.on_no_input
        return
    yield from (target for _, target in _edges(node))


def _answers(flow: Flow) -> set[str]:
    """The names of the answers that the flow can set."""
    names = {node.collect.as_ for node in flow.nodes.values() if node.collect is not None}
    for node in flow.nodes.values():
        for choice in (node.choices or {}).values():
            names.update(choice.set or ())
    return names


# Creatives


def _creative(
    path: FieldPath, creative: Creative, marketplace: Marketplace, world: World
) -> Iterator[Complaint]:
    yield from _known((*path, "campaign"), creative.campaign, marketplace.campaigns, "campaign")
    for field, message in complaints_about(creative):
        yield Complaint((*path, field), message)
    complaint = world.images(creative) if creative.image is not None and world.images is not None else None
    if complaint is not None:
        yield Complaint((*path, "image"), complaint)


# Prompts


def _prompts(node: Node) -> Iterator[tuple[FieldPath, str | None]]:
    yield ("play",), node.play
    yield ("invalid_prompt",), node.invalid_prompt
    if node.menu is not None:
        yield ("menu", "prompt"), node.menu.prompt
    if node.collect is not None:
        yield ("collect", "prompt"), node.collect.prompt


def _prompt(path: FieldPath, prompt: str | None, world: World) -> Iterator[Complaint]:
    complaint = world.prompts(prompt) if prompt is not None and world.prompts is not None else None
    if complaint is not None:
        yield Complaint(path, complaint)


def _listed(names: list[str]) -> str:
    return " and ".join(names) or "none"
