"""Why a mutant may live: by file, function and the change, in regular expressions; the first that fits tells."""

from __future__ import annotations

import re

from tests.mutants.results import Survivor

NONE_YET = "No reason yet: a test is missing"

REASONS: tuple[tuple[str, str, str], ...] = ()


def reason(path: str, survivor: Survivor) -> str:
    """Why this survivor may live."""
    where, change = f"{path} {survivor.function}", f"{survivor.before} -> {survivor.after}"
    for place, what, why in REASONS:
        if re.search(place, where) and re.search(what, change):
            return why
    return NONE_YET
