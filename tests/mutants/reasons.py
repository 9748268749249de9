"""Why a mutant may live: by file and function, and by the change, in regular expressions; the first that fits tells."""

from __future__ import annotations

import re

from tests.mutants.results import Survivor

NONE_YET = "No reason yet: a test is missing"

_DEFECT = "The words of an assertion: only a defect of ours would tell them"
_SAME = "The same: what is left out, or put in its place, comes to the same here"
_TYPES = "For the type checker: there it is never None, or the key is one that nobody has"
_NAME = "A part of an id in Asterisk that nobody reads; ids are unique all the same"
_NO_PLACE = "Who is not judged has no use for a place"

REASONS: tuple[tuple[str, str, str], ...] = (
    (r"", r"^assert .*, [f]?\"", _DEFECT),
    (r"caps.py describe", r'cap\.per or "XXXX"', _TYPES),
    (r"ledger.py _check_holds", r'call_id or "XXXX"', _TYPES),
    (r"repeats.py Memory\._known", r"\.get\(key, (None)?\)", _SAME),
    (r"offer.py Offer\._why_not_rung", r"get\(destination, \) !=", _SAME),
    (r"session.py Session\._attribute", r"self\._earlier = self\._callers", _SAME),
    (r"legs.py Legs\.say", r'mint\("(XXplayXX|PLAY)"\)', _NAME),
    (r"recovery.py settled", r"conclude\(record, None, .* -> .*(None\)|\{\}, \))", _NO_PLACE),
)


def reason(path: str, survivor: Survivor) -> str:
    """Why this survivor may live."""
    where, change = f"{path} {survivor.function}", f"{survivor.before} -> {survivor.after}"
    for place, what, why in REASONS:
        if re.search(place, where) and re.search(what, change):
            return why
    return NONE_YET
