"""The area codes of the North American Numbering Plan, by what they are for (NANPA, www.nanpa.com)."""

from __future__ import annotations

import re

TOLLFREE = frozenset(("800", "833", "844", "855", "866", "877", "888"))
"""The area codes of toll-free numbers that are in use."""

ABROAD = frozenset(
    ("242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784")
) | frozenset(("809", "829", "849", "868", "869", "876"))
"""The area codes of countries other than Canada and the USA with its territories."""

_OF_NO_PLACE = re.compile(
    r"\d11"  # services: 911
    r"|\d9\d"  # kept for longer numbers
    r"|37\d|96\d"  # kept
    r"|5(?:00|2[1-9]|3[2358]|4[2-7]|49|5[02-68]|66|69|7[78]|8[89])"  # personal numbers, machines
    r"|6(?:00|22|33|44|55|77|88)"  # Canada's, of no province
    r"|[79]00|710"  # carriers' services, premium rate, the government
    r"|8(?:00|22|33|44|55|66|77|8\d)",  # toll-free, in use or kept for it
    re.ASCII,
)


def is_of_a_place(code: str) -> bool:
    """Whether an area code belongs to a place, or can come to. Toll-free, service and personal codes do not."""
    return _OF_NO_PLACE.fullmatch(code) is None
