"""The images of banners: checked when a marketplace is applied, and stored by the hash of their content.

A document has a file's name and, after it was applied, the hash. So the original file of a stored image is not needed
any more, and another image under the same name is a change that `callrace plan` shows.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PIL import Image

from ari_app.domain.market.marketplace import Creative, Marketplace

LARGEST_BYTES = 1024 * 1024
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "WEBP": ".webp"}


class CreativeError(Exception):
    """A creative's image cannot be stored or found; the message says which, why and what to do."""


def checker(base: Path, folder: Path) -> Callable[[Creative], str | None]:
    """Makes a function that returns what is wrong with a creative's image, or None.

    The image is the one stored in `folder` under the creative's hash, or else a file relative to `base`.
    """

    def complain(creative: Creative) -> str | None:
        if creative.sha256 is not None and find(folder, creative.sha256) is not None:
            return None
        path = base / (creative.image or "")
        try:
            content = _read(path)
        except OSError as error:
            return f"cannot read {path} ({error.strerror})"
        if creative.sha256 not in (None, _hash(content)):
            return f"{path} is not the image whose sha256 is given; leave sha256 out to take this one"
        return _complaint_about(content, path, creative.size)

    return complain


def _complaint_about(content: bytes, path: Path, size: str | None) -> str | None:
    if len(content) > LARGEST_BYTES:
        return f"{path} has more than {LARGEST_BYTES // 1024:,} KiB"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(_SUFFIXES)) as image:
                actual = f"{image.width}x{image.height}"
                if size is not None and actual != size:
                    return f"{path} is {actual}, but its size is said to be {size}"
                image.load()  # only now that its size is known to be small
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return f"{path} claims to have more pixels than an ad can have"
    except (OSError, SyntaxError, ValueError):  # what Pillow raises for a broken image
        return f"{path} is not a whole PNG, JPEG, GIF or WebP image"
    return None


def pinned(marketplace: Marketplace, base: Path) -> Marketplace:
    """The marketplace, with a hash added for every image that has none. The images must have been checked."""
    found = {
        name: replace(creative, sha256=_hash(_read(base / creative.image)))
        for name, creative in marketplace.creatives.items()
        if creative.image is not None and creative.sha256 is None
    }
    return replace(marketplace, creatives={**marketplace.creatives, **found}) if found else marketplace


def copy_images(creatives: Mapping[str, Creative], base: Path, folder: Path) -> None:
    """Copies every image that is not stored yet into `folder`. Raises CreativeError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, creative in creatives.items():
        if creative.image is None or creative.sha256 is None or find(folder, creative.sha256) is not None:
            continue
        content = _read(base / creative.image)
        if _hash(content) != creative.sha256:
            raise CreativeError(f"creative {name}: {base / creative.image} changed meanwhile; try again")
        with Image.open(io.BytesIO(content), formats=tuple(_SUFFIXES)) as image:
            suffix = _SUFFIXES[image.format or ""]
        part = folder / f".{creative.sha256}.part"
        part.write_bytes(content)
        part.replace(folder / f"{creative.sha256}{suffix}")


def find(folder: Path, sha256: str) -> Path | None:
    """The image that is stored under this hash; None when there is none."""
    paths = (folder / f"{sha256}{suffix}" for suffix in _SUFFIXES.values())
    return next((path for path in paths if path.exists()), None)


def _read(path: Path) -> bytes:
    """The file's content, up to one byte more than the largest allowed size."""
    with path.open("rb") as file:
        return file.read(LARGEST_BYTES + 1)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
