"""A private PostgreSQL cluster for tests: made from the system's binaries, thrown away at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import NullPool, create_engine, make_url, text

# Not synchronous_commit=off: what is committed has to survive `Cluster.stop`.
_FAST = "-c fsync=off -c full_page_writes=off"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster behind a socket in its own folder; with a `port`, on loopback instead."""

    folder: Path
    user: str | None
    port: int | None = None

    @property
    def url(self) -> str:
        """Its database, whether it runs or not."""
        if self.port is not None:
            return f"postgresql://callrace@127.0.0.1:{self.port}/postgres"
        return f"postgresql://callrace@/postgres?host={self.folder}"

    def start(self) -> None:
        """Starts it; returns when it takes connections."""
        listens = (
            "-c listen_addresses=" if self.port is None else f"-c listen_addresses=127.0.0.1 -p {self.port}"
        )
        options = f"{_FAST} {listens} -c unix_socket_directories={self.folder}"
        self._control("-l", self.folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """Ends it as a crash would: every connection breaks."""
        self._control("-m", "immediate", "stop")

    def make_read_only(self, is_so: bool) -> None:
        """Whether it refuses to write, as a standby does; every connection breaks. It has to run on a port."""
        url = make_url(self.url).set(drivername="postgresql+psycopg2")
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            for statement in (
                "SET default_transaction_read_only = off",
                f"ALTER SYSTEM SET default_transaction_read_only = {'on' if is_so else 'off'}",
                "SELECT pg_reload_conf()",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname IS NOT NULL",
            ):
                connection.execute(text(statement))

    def _control(self, *words: str | Path) -> None:
        _run(self.user, _binaries() / "pg_ctl", "-D", self.folder / "data", "-w", *words)


@contextmanager
def cluster(port: int | None = None) -> Iterator[Cluster]:
    """A new cluster that runs; gone when the context ends.

    Fails when PostgreSQL is not installed: a suite that skips it proves nothing about it.
    """
    folder = Path(tempfile.mkdtemp(prefix="callrace-postgres-"))
    made = Cluster(folder, _unprivileged_user(), port)
    if made.user:
        shutil.chown(folder, made.user)
    options = ("-U", "callrace", "-A", "trust", "-E", "UTF8", "--no-sync")
    try:
        _run(made.user, _binaries() / "initdb", "-D", folder / "data", *options)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def running_cluster() -> Iterator[str]:
    """The URL of a cluster of its own, for as long as the context lasts."""
    with cluster() as made:
        yield made.url


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
