"""Why a mutant may live: by file and function, and by the change, in regular expressions; the first that fits tells."""

from __future__ import annotations

import re

from tests.mutants.results import Survivor

NONE_YET = "No reason yet: a test is missing"

_DEFECT = "The words of an assertion: only a defect of ours would tell them"
_ALWAYS = "What an assertion asks is always so"
_SAME = "The same: what is left out, or put in its place, comes to the same here"
_TYPES = "For the type checker: there it is never None, or the key is one that nobody has"
_NAME = "A part of an id in Asterisk that nobody reads; ids are unique all the same"
_NO_MATTER = "A call's last line on record is later than that"
_ACCEPTED = "Who has won has accepted: the moment in its place is not asked for"
_NO_PLACE = "Who is not judged has no use for a place, a time zone or earlier calls"

REASONS: tuple[tuple[str, str, str], ...] = (
    (r"", r"^assert (.*), [f]?\".* -> assert \1, ", _DEFECT),
    (r"", r"^assert ", _ALWAYS),
    (r"", r"\b(advertiser|publisher) or \"XXXX\"", _TYPES),
    (r"settlement.py assess", r"publisher = .* -> publisher = record\.publisher or \"XXXX\"", _TYPES),
    (r"caps/counters.py describe", r'cap\.per or "XXXX"', _TYPES),
    (r"verification.py _check_holds", r'call_id or "XXXX"', _TYPES),
    (r"repeats.py Memory\._known", r"\.get\(key, (None)?\)", _SAME),
    (r"session.py Session\._pin", r"case\.earlier = self\._shared\.callers", _SAME),
    (r"legs.py Legs\._say", r'mint\((None|"XXplayXX"|"PLAY")\)', _NAME),
    (r"case.py Case\.conclude", r"^zone = \"UTC\"", _NO_PLACE),
    (r"recovery.py settled", r"conclude\(record, None, .* -> .*conclude\(record, None, ", _NO_PLACE),
    (r"recovery.py Resumed\.__init__", r"last_seen or 1", _NO_MATTER),
    (r"recovery.py _arrival", r'get\("app_data", "XXXX"\)', _TYPES),
    (r"recovery.py Resumed\._talk_on", r"assume_connected\(record, None\)", _ACCEPTED),
    (r"survey.py Survey\.with_", r"get\(channel_id, (None|\"XXXX\")?\)", _TYPES),
    (r"offer.py Offer\._bridge", r"start=None", _SAME),
)


def reason(path: str, survivor: Survivor) -> str:
    """Why this survivor may live."""
    where, change = f"{path} {survivor.function}", f"{survivor.before} -> {survivor.after}"
    for place, what, why in REASONS:
        if re.search(place, where) and re.search(what, change):
            return why
    return NONE_YET
