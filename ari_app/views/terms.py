"""A campaign's terms in plain words, from its entry as its party sees it. A hidden field says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ari_app.views.sections import Section

Entry = Mapping[str, Any]

_SAID: Mapping[str, str] = {
    "connected_at_least": "caller and agent talk for at least {value}",
    "total_at_least": "the whole call lasts at least {value}",
    "rang_at_least": "it was rung for at least {value}",
    "source_in": "the ad ran where the terms say",
    "not_blocked": "the caller is not blocked",
    "converted_within": "a sale is reported within {value}",
}
_BASES: Mapping[str, str] = {
    "any": "called",
    "connected": "was connected to an agent",
    "qualified": "had a call that counted",
}


def terms_sections(campaign: Entry, currency: str) -> list[Section]:
    """What a call comes to, and when it counts; then bonuses, and what comes later."""
    staged = campaign.get("staged") or {}
    found = [
        Section("What a call comes to", list(_amounts(campaign, currency))),
        Section("A call counts when", [f"- {line}" for line in _clauses(campaign.get("qualify", ()))]),
        Section(
            "It is charged only when", [f"- {line}" for line in _clauses(campaign.get("price_when", ()))]
        ),
        Section("It is paid only when", [f"- {line}" for line in _clauses(campaign.get("payout_when", ()))]),
        *(_bonus(bonus, currency) for bonus in campaign.get("bonus", ())),
    ]
    if staged:
        found.append(Section(f"From {staged['from']} on", list(_amounts(staged, currency))))
        found[-1].lines.extend(f"- {line}" for line in _clauses(staged.get("qualify") or ()))
    return [section for section in found if section.lines]


def hours_words(hours: Entry) -> str:
    """When it is open: `mon-fri 08:00-20:00, America/New_York time, but not on 2026-12-25`."""
    zone = f", {hours['timezone']} time" if hours.get("timezone") else ""
    closed = f", but not on {', '.join(map(str, hours['closed']))}" if hours.get("closed") else ""
    return f"{', '.join(map(str, hours.get('open', ())))}{zone}{closed}"


def place_words(covers: Entry) -> str:
    """Where callers may be: `in NY or NJ, or within 50 miles of 10001`."""
    if covers.get("anywhere"):
        return "anywhere"
    said = []
    if covers.get("states"):
        said.append(f"in {' or '.join(covers['states'])}")
    if covers.get("zips"):
        said.append(_few("ZIP code", covers["zips"]))
    if covers.get("area_codes"):
        said.append(_few("area code", covers["area_codes"]))
    if covers.get("zip"):
        said.append(f"within {covers['radius_miles']} miles of {covers['zip']}")
    return ", or ".join(said)


def _amounts(terms: Entry, currency: str) -> Iterator[str]:
    if terms.get("price") is not None:
        yield f"The advertiser is charged {_amount(terms['price'], currency)}."
    if terms.get("payout") is not None:
        yield f"The publisher is paid {_amount(terms['payout'], currency)}."
    for publisher, own in (terms.get("overrides") or {}).items():
        if own.get("payout") is not None:
            yield f"But {publisher} is paid {_amount(own['payout'], currency)}."
        yield from (f"{publisher} is paid when {line}." for line in _clauses(own.get("payout_when") or ()))


def _amount(said: object, currency: str) -> str:
    """`42.00 USD a call`, `0.90 USD a minute, in steps of 60s`, `70% of the price`."""
    if not isinstance(said, Mapping):
        return f"{said} {currency} a call"
    if said.get("per_minute") is not None:
        words = f"{said['per_minute']} {currency} a minute, in steps of {said.get('increment', '60s')}"
    else:
        words = f"{said['share']} of the price"
    least = f", at least {said['minimum']} {currency}" if said.get("minimum") is not None else ""
    most = f", at most {said['maximum']} {currency}" if said.get("maximum") is not None else ""
    return f"{words}{least}{most}"


def _bonus(bonus: Entry, currency: str) -> Section:
    amounts = []
    if bonus.get("price") is not None:
        amounts.append(f"{bonus['price']} {currency} more are charged")
    if bonus.get("payout") is not None:
        amounts.append(f"{bonus['payout']} {currency} more are paid")
    lines = [f"- {line}" for line in _clauses(bonus.get("when", ()))]
    return Section(
        f"Bonus {bonus['name']}", [*([f"{' and '.join(amounts)} when"] if amounts else []), *lines]
    )


def _clauses(clauses: Iterable[Entry]) -> Iterator[str]:
    for clause in clauses:
        for name, value in clause.items():
            if value is not None:
                yield _clause(name, value)


def _clause(name: str, value: Any) -> str:
    match name:
        case "answer_in":
            wanted = (f"{answer} is {' or '.join(map(str, texts))}" for answer, texts in value.items())
            return f"the caller's {', and '.join(wanted)}"
        case "caller_in":
            return f"the caller is {place_words(value)}"
        case "no_repeat_within":
            rule = value if isinstance(value, Mapping) else {"window": value}
            said = _BASES[rule.get("basis", "connected")]
            return f"the caller has not {said.replace('was ', 'been ')} within {rule['window']} before"
        case "within_hours":
            return f"it comes within {hours_words(value)}"
    return _SAID[name].format(value=value)


def _few(what: str, values: Iterable[str]) -> str:
    listed = list(values)
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return f"in the {what}{'s' if len(listed) > 1 else ''} {', '.join(listed[:5])}{more}"
