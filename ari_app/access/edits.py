"""Which fields of the marketplace's entries an advertiser sets: what is the exchange's own stays the operator's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ari_app.access.parties import Viewer

_RUNNING = frozenset({"route", "flow", "hours", "screen", "recording", "caps", "transfer"})
_DRAFT = _RUNNING | {"price", "qualify", "price_when", "currency", "duration_of"}

EDITS: Mapping[str, frozenset[str]] = {
    "campaigns": _RUNNING,
    "drafts": _DRAFT,
    "creatives": frozenset({"campaign", "kind", "image", "size", "text", "html", "address"}),
    "destinations": frozenset(
        {
            "dial",
            "covers",
            "hours",
            "capacity",
            "priority",
            "weight",
            "auto_pause",
            "attestation",
            "caps",
            "headers",
        }
    ),
    "flows": frozenset({"start", "nodes", "longest"}),
}
"""By part of the document; `drafts` are campaigns that were never live, whose price and terms are still open."""


def not_theirs(viewer: Viewer, part: str, fields: Iterable[str]) -> list[str]:
    """The fields of these that the viewer may not set; a path counts by its first name. The operator sets all."""
    if viewer.party.kind == "operator":
        return []
    allowed = EDITS.get(part, frozenset()) if viewer.party.kind == "advertiser" else frozenset[str]()
    return sorted({name for name in fields if name.partition(".")[0].partition("[")[0] not in allowed})
