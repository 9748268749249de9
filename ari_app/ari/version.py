"""The oldest version of Asterisk that can be used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ari_app.ari.errors import AriBadAnswer, AriTooOld

Version = tuple[int, int, int]

OLDEST: Version = (22, 10, 1)
REASON = "22.10.1 closes twenty security advisories, and calls need ARI's channel claims of 22.10.0"


def parse_version(info: Mapping[str, Any]) -> Version:
    """The version in the answer to `asterisk.get_info()`. Raises AriBadAnswer.

    A distribution's suffix (22.10.1+dfsg) is ignored; a certified release (certified/20.7-cert3) counts as the version
    that it is made from.
    """
    said = (info.get("system") or {}).get("version", "")
    found = re.match(r"(?:certified[/-])?(\d+)\.(\d+)(?:\.(\d+))?", said)
    if found is None:
        raise AriBadAnswer(f"GET asterisk/info: no version in {said!r}; is this Asterisk?")
    major, minor, patch = found.groups("0")
    return int(major), int(minor), int(patch)


def require_version(info: Mapping[str, Any]) -> Version:
    """The version, if it is new enough. Raises AriTooOld with the reason, or AriBadAnswer."""
    version = parse_version(info)
    if version < OLDEST:
        shown, oldest = (".".join(map(str, numbers)) for numbers in (version, OLDEST))
        raise AriTooOld(f"Asterisk {shown} is too old: {REASON}; install {oldest} or later")
    return version
