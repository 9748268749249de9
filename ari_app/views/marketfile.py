"""The marketplace as a file that people edit."""

from __future__ import annotations

import yaml

from ari_app.domain.document.reading import to_document
from ari_app.domain.market.marketplace import Marketplace

_WIDTH = 110


def to_yaml(marketplace: Marketplace) -> str:
    """The marketplace as YAML; the innermost mappings and lists are on one line, as people write them."""
    parts = [
        yaml.dump(
            {part: value},
            Dumper=yaml.CSafeDumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=None if isinstance(value, dict) else False,
            width=_WIDTH,
        )
        for part, value in to_document(marketplace, defaults=False).items()
    ]
    return "\n".join(parts)
