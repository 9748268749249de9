"""What to do about a refusal or an error: the command to run, which nothing outside `cli` names.

By a refusal's code, or by an error's class. What stands in braces are the refusal's facts, or the error's attributes.
"""

from __future__ import annotations

from collections.abc import Mapping

from ari_app.desk.refused import Code, Refused

REMEDIES: Mapping[Code | type[Exception], str] = {
    Code.NO_MARKETPLACE: "run `callrace apply FILE`, or `callrace marketplace init`",
    Code.MARKETPLACE_EXISTS: "see `callrace export`",
    Code.UNKNOWN: "see `callrace {what}s list`",
    Code.EXISTS: "see `callrace {what}s show {name}`",
}


def told(error: Exception) -> str:
    """What the error says, and what to do about it."""
    if isinstance(error, Refused):
        remedy, facts = REMEDIES.get(error.code), error.facts
    else:
        remedy, facts = REMEDIES.get(type(error)), vars(error)
    return str(error) if remedy is None else f"{error}; {remedy.format_map(facts)}"
