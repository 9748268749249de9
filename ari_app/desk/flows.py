"""IVR flows of the marketplace in force."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ari_app.access.actor import Actor
from ari_app.desk.documents import Document, amend, done
from ari_app.desk.marketplaces import Changed
from ari_app.desk.site import Site


def put(site: Site, actor: Actor, flows: Mapping[str, Any], base: Path) -> Changed:
    """Adds flows by their ids, in place of those that are there. Recordings are relative to `base`.

    Raises DocumentError, StoreError, Refused.
    """

    def change(document: Document) -> None:
        document.setdefault("flows", {}).update(flows)

    return amend(site, change, done(site, actor, "flows.put", ", ".join(map(str, flows))), base)
