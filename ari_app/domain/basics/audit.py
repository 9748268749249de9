"""A line of the audit log: who did what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """What was done at a moment (ms): by whom (the text of an `Actor`), which use case, to what, with which values.

    A use case has the name of its module and function (`numbers.assign`). The subject is the id of the changed object.
    """

    at: int
    actor: str
    use_case: str
    subject: str
    facts: Mapping[str, Any] = field(default_factory=dict)
