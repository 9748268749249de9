"""Images of banners: what is refused, what is kept, and how an image is known again."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from ari_app.domain.document.reading import parse
from ari_app.domain.market.marketplace import Creative, Marketplace
from ari_app.media.creatives import LARGEST_BYTES, checker, copy_images, find, pinned
from tests.unit.cli.conftest import MARKETPLACE

_BANNER = Creative(campaign="plumbing", kind="banner", image="banner.png", size="300x250")


def _image(kind: str = "PNG", size: tuple[int, int] = (300, 250)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "red").save(content, kind)
    return content.getvalue()


def _huge_png() -> bytes:
    """A PNG whose header claims 60,000 x 60,000 pixels."""
    image = _image()
    header = b"IHDR" + struct.pack(">II", 60_000, 60_000) + image[24:29]
    return image[:12] + header + struct.pack(">I", zlib.crc32(header)) + image[33:]


def _complaint(tmp_path: Path, content: bytes, creative: Creative = _BANNER) -> str | None:
    (tmp_path / "banner.png").write_bytes(content)
    return checker(tmp_path, tmp_path / "kept")(creative)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_of_its_size_is_good(tmp_path: Path, kind: str) -> None:
    assert _complaint(tmp_path, _image(kind)) is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (_image(size=(728, 90)), "is 728x90, but its size is said to be 300x250"),
        (_image()[:-40], "is not a whole PNG, JPEG, GIF or WebP image"),
        (_image("BMP"), "is not a whole PNG, JPEG, GIF or WebP image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a whole PNG, JPEG, GIF or WebP image"),
        (_huge_png(), "claims to have more pixels than an ad can have"),
        (_image() + bytes(LARGEST_BYTES), "has more than 1,024 KiB"),
    ],
)
def test_what_is_no_banner_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    assert complaint in (_complaint(tmp_path, content) or "")


def test_a_missing_image_is_refused(tmp_path: Path) -> None:
    assert "cannot read" in (checker(tmp_path, tmp_path)(_BANNER) or "")


@pytest.fixture
def marketplace(tmp_path: Path) -> Marketplace:
    """A marketplace with a banner whose file exists, kept."""
    (tmp_path / "banner.png").write_bytes(_image())
    marketplace = replace(parse(MARKETPLACE, "test.yaml"), creatives={"banner": _BANNER})
    marketplace = pinned(marketplace, tmp_path)
    copy_images(marketplace.creatives, tmp_path, tmp_path / "kept")
    return marketplace


def test_an_image_is_kept_by_its_hash_and_needs_its_file_no_more(
    tmp_path: Path, marketplace: Marketplace
) -> None:
    (tmp_path / "banner.png").unlink()
    creative = marketplace.creatives["banner"]
    assert checker(tmp_path, tmp_path / "kept")(creative) is None
    kept = find(tmp_path / "kept", creative.sha256 or "")
    assert kept is not None
    assert kept.read_bytes() == _image()


def test_another_image_under_the_hash_of_one_that_is_not_kept_is_refused(
    tmp_path: Path, marketplace: Marketplace
) -> None:
    (tmp_path / "banner.png").write_bytes(_image("GIF"))
    complain = checker(tmp_path, tmp_path / "elsewhere")
    assert "is not the image whose sha256 is given" in (complain(marketplace.creatives["banner"]) or "")
