"""An earlier build, taken from the repository, to be measured beside this one."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ari_app.settings import REPOSITORY
from tests.bench.site import SiteError


def unpacked(commit: str, folder: Path) -> Path:
    """The files of a commit, in a folder that is made. Raises SiteError where this clone does not have it."""
    folder.mkdir(parents=True)
    packed = subprocess.run(("git", "archive", commit), cwd=REPOSITORY, capture_output=True)
    if packed.returncode:
        raise SiteError(f"the build before is not in this clone: {packed.stderr.decode().strip()}")
    subprocess.run(("tar", "-x", "-C", str(folder)), input=packed.stdout, check=True)
    return folder
