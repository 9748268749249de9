"""An approved creative as a publisher gets it: the campaign, the publisher's number, and the source."""

from __future__ import annotations

from collections.abc import Sequence

from ari_app.domain.market.creatives import for_people
from ari_app.domain.market.marketplace import Creative, Number


def ad_json(
    name: str, creative: Creative, did: str, number: Number, files: Sequence[str]
) -> dict[str, object]:
    """The ad as JSON, with the names of its files."""
    return {
        "creative": name,
        "campaign": creative.campaign,
        "kind": creative.kind,
        "size": creative.size,
        "publisher": number.publisher,
        "source": number.source,
        "number": did,
        "number_text": for_people(did),
        "tel": f"tel:{did}",
        "files": list(files),
    }
