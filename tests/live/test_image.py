"""The real Dockerfile, built by buildah, which takes no container engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PROVISION = "asterisk-docker/provision"
DOCKERFILE = REPO / "asterisk-docker" / "Dockerfile"
BASES = dict(re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE.read_text(), re.MULTILINE))
"""The image that each target is made from, and the target's name."""

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(900),
    # In CI nothing live is skipped: the set-up has installed buildah, and what is missing is a failure.
    pytest.mark.skipif(
        "CI" not in os.environ and shutil.which("buildah") is None, reason="buildah is not installed"
    ),
    pytest.mark.skipif(
        "CI" not in os.environ and os.geteuid() != 0,
        reason="mmdebstrap and buildah make file systems as root only",
    ),
]


class Image:
    """The image of Asterisk, and a container of it to run commands in."""

    def __init__(self, home: Path) -> None:
        self._home = home
        base = home / "base.tar"
        # The base that the Dockerfile names, made here: a registry may not be within reach.
        _run(
            "mmdebstrap", "--variant=minbase", '--aptopt=Acquire::Check-Valid-Until "false"', "sid", str(base)
        )
        scratch = self._buildah("from", "scratch").strip()
        self._buildah("add", "--quiet", scratch, str(base), "/")
        [base_image] = [image for image, target in BASES.items() if target == "asterisk"]
        self._buildah("commit", "--quiet", "--rm", scratch, base_image)
        self._buildah(
            "bud", "--isolation", "chroot", "--network", "host", "--pull-never", "--tag", "callrace-asterisk",
            "--file", str(DOCKERFILE), str(REPO),
        )  # fmt: skip
        self._container = self._buildah("from", "callrace-asterisk").strip()

    def run(self, *command: str) -> str:
        """What `command` prints, run in the container, where the image's working directory is."""
        return self._buildah("run", "--isolation", "chroot", self._container, "--", *command)

    def _buildah(self, *words: str) -> str:
        storage = (
            "--root",
            f"{self._home}/storage",
            "--runroot",
            f"{self._home}/run",
            "--storage-driver",
            "vfs",
        )
        return _run("buildah", *storage, *words)


def _run(*command: str) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The built image; its gigabyte of storage is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="callrace-image-", dir="/var/tmp") as home:
        yield Image(Path(home))


def test_the_image_has_an_asterisk_that_is_new_enough(image: Image) -> None:
    version = image.run("asterisk", "-V")
    image.run(PROVISION, "check", version)


def test_the_image_configures_itself_with_passwords_of_its_own(image: Image) -> None:
    image.run(PROVISION, "configure")
    configuration = image.run("sh", "-c", "cat /etc/callrace/*.conf /etc/callrace/dialplan/*.conf")
    password = image.run("cat", "/var/lib/callrace/secrets/ari")
    assert f"password = {password}" in configuration
    assert not re.search(r"@[A-Z]+_[A-Z]+", configuration)
    assert "[callrace-in]" in configuration


def test_only_its_owner_can_read_the_passwords_in_the_image(image: Image) -> None:
    image.run(PROVISION, "configure")
    readable = image.run("find", "/etc/callrace", "/var/lib/callrace/secrets", "-type", "f", "-perm", "/077")
    assert readable == ""
