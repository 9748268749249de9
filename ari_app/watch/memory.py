"""Asterisk's memory, as the kernel tells: neither AMI nor ARI do."""

from __future__ import annotations

from pathlib import Path

PROCESSES = Path("/proc")
_PROGRAM = "asterisk"


def asterisk_memory(pid_file: Path, processes: Path = PROCESSES) -> int | None:
    """Its resident memory in bytes; None where it is on another machine, or has process ids of its own in a container.

    `pid_file` is what Asterisk writes its process id into.
    """
    try:
        process = processes / pid_file.read_text().strip()
        if (process / "comm").read_text().strip() != _PROGRAM:
            return None
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), None)
