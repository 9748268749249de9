"""IVR flows: checked before they are applied, and put into the marketplace in force."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.documents import Document, amend, done
from ari_app.desk.marketplaces import Changed
from ari_app.desk.site import Site
from ari_app.domain.document.reading import parse
from ari_app.domain.market.marketplace import Marketplace
from ari_app.media.prompts import checker
from ari_app.settings import Settings
from ari_app.store import geography


def check(settings: Settings, text: str, file: str, base: Path) -> Marketplace:
    """The marketplace of a YAML text, read to check its flows. Nothing is applied, and Asterisk is not asked.

    `file` is its name in error messages; audio files are relative to `base`. Raises DocumentError, GeographyError.
    """
    return parse(
        checked.text(text, "text"),
        checked.text(file, "file"),
        prompts=checker(base),
        geography=geography.load(settings.home),
    )


def put(site: Site, actor: Actor, flows: Mapping[str, Any], base: Path) -> Changed:
    """Adds flows by id, or replaces those with the same ids. Audio files are relative to `base`.

    Raises DocumentError, StoreError, Refused.
    """

    def change(document: Document) -> None:
        document.setdefault("flows", {}).update(flows)

    return amend(site, change, done(site, actor, "flows.put", ", ".join(map(str, flows))), base)
