"""Asterisk's memory, read from the kernel, as neither AMI nor ARI report it."""

from __future__ import annotations

from pathlib import Path

PROCESSES = Path("/proc")
_PROGRAM = "asterisk"


def asterisk_memory(pid_file: Path, processes: Path = PROCESSES) -> int | None:
    """Asterisk's resident memory in bytes.

    None when Asterisk is on another machine, or in a container with its own process ids. `pid_file` is the file into
    which Asterisk writes its process id.
    """
    try:
        process = processes / pid_file.read_text().strip()
        if (process / "comm").read_text().strip() != _PROGRAM:
            return None
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), None)
