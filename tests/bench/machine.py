"""The machine that was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def describe(asterisk: str) -> dict[str, str]:
    """What a reader needs to compare with another machine; `asterisk` is its version."""
    return {
        "CPU": f"{_field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 1024**2:.1f} GB",
        "kernel": platform.release(),
        "Asterisk": asterisk.removeprefix("Asterisk "),
        "Python": platform.python_version(),
        "SIPp": _sipp_version(),
        "load before": "{:.2f} (1 min), {:.2f} (5 min)".format(*os.getloadavg()),
    }


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _sipp_version() -> str:
    said = subprocess.run(("sipp", "-v"), capture_output=True, text=True, check=False).stdout
    return next((word.rstrip(".") for word in said.split() if word.startswith("v")), "unknown")
