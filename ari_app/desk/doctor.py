"""The doctor: finds what prevents calls from being served."""

from __future__ import annotations

from ari_app.settings import Settings
from ari_app.watch import doctor
from ari_app.watch.finding import Finding


def examine(settings: Settings) -> list[Finding]:
    """Checks all that calls need. The findings are in the order in which to repair them. Nothing is changed."""
    return list(doctor.examine(settings))
