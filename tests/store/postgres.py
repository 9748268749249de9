"""A private PostgreSQL cluster for tests: made from the system's binaries, thrown away at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FAST = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"


@contextmanager
def running_cluster() -> Iterator[str]:
    """The URL of a cluster behind a socket in its own folder, for as long as the context lasts.

    Fails when PostgreSQL is not installed: a suite that skips it proves nothing about it.
    """
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="callrace-postgres-"))
    data = folder / "data"
    user = _unprivileged_user()
    if user:
        shutil.chown(folder, user)
    options = f"{_FAST} -c listen_addresses= -c unix_socket_directories={folder}"
    try:
        _run(
            user, binaries / "initdb", "-D", data, "-U", "callrace", "-A", "trust", "-E", "UTF8", "--no-sync"
        )
        _run(user, binaries / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql://callrace@/postgres?host={folder}"
        finally:
            _run(user, binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _binaries() -> Path:
    """The newest version's folder that has `initdb`."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]), reverse=True
    )
    if not found:
        raise RuntimeError(
            "PostgreSQL's server is not installed: no initdb on PATH or in /usr/lib/postgresql; "
            "run `apt-get install postgresql`"
        )
    return found[0].parent


def _unprivileged_user() -> str | None:
    """Whom to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(user: str | None, *command: str | Path) -> None:
    as_user = ["runuser", "-u", user, "--"] if user else []
    # Output goes to a file: the server inherits it, and a pipe would stay open as long as it runs.
    with tempfile.TemporaryFile() as output:
        ended = subprocess.run(
            [*as_user, *map(str, command)], stdout=output, stderr=subprocess.STDOUT, cwd="/", check=False
        )
        if ended.returncode:
            output.seek(0)
            raise RuntimeError(f"{command[0]} failed: {output.read().decode(errors='replace')}")
