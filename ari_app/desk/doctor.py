"""What keeps calls from being served."""

from __future__ import annotations

from ari_app.settings import Settings
from ari_app.watch import doctor
from ari_app.watch.finding import Finding


def examine(settings: Settings) -> list[Finding]:
    """All that calls need, found or missing, in the order in which it is best put right. Nothing is changed."""
    return list(doctor.examine(settings))
