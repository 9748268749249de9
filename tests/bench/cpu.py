"""Processor time and memory of processes, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12  # fields after the name, which may hold spaces: proc(5), utime and stime


def used_ms(*pids: int) -> float:
    """Processor time that these processes have used, all their threads included."""
    return sum(_used_ticks(pid) for pid in pids) * _TICK_MS


def _used_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return int(fields[_USER]) + int(fields[_SYSTEM])


def machine_busy_ms() -> float:
    """Processor time that is gone: used by anything here, or stolen by the host. proc(5), stat's first line."""
    user, nice, system, _idle, _iowait, irq, softirq, stolen, *_ = map(int, _machine_ticks())
    return (user + nice + system + irq + softirq + stolen) * _TICK_MS


def _machine_ticks() -> list[str]:
    with Path("/proc/stat").open() as lines:
        return lines.readline().split()[1:]


def resident_mb(process: int | str = "self") -> float:
    """Memory of a process, of this one unless told, that is resident now."""
    return _status_kb("VmRSS", process) / 1024


def peak_resident_mb() -> float:
    """The most memory of this process that was ever resident."""
    return _status_kb("VmHWM") / 1024


def _status_kb(name: str, process: int | str = "self") -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
