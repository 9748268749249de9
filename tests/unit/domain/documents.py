"""Marketplaces as YAML, changed for a test, and what is found wrong in them."""

from pathlib import Path

import pytest

from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.calls.geo import Geography
from ari_app.domain.document.reading import parse

DEMO = (Path(__file__).parents[3] / "config" / "demo.yaml").read_text()

SMALL = """\
currency: USD
advertisers:
  acme: {name: Acme, timezone: America/New_York, billing: {model: postpaid, credit_limit: "500.00"}}
  other: {name: Other}
publishers:
  homefix: {name: HomeFix}
destinations:
  agent-1:
    advertiser: acme
    dial: {phone: "+12125550123", trunk: main}
    covers: {zip: "10001", radius_miles: 50}
    hours: {timezone: America/New_York, open: ["mon-fri 08:00-20:00"], closed: [2026-12-25]}
    capacity: 1
  agent-2:
    advertiser: other
    dial: {extension: agent-2}
    covers: {anywhere: true}
flows:
  intake:
    start: ask
    nodes:
      ask:
        menu: {prompt: "tts:Press 1 or 2."}
        choices: {"1": {set: {service: repair}, next: split}, "2": {next: split}}
        on_no_input: bye
      split:
        branch:
          - when: {answer_in: {service: [repair]}}
            next: offer
        otherwise: bye
      offer: {offer: true}
      bye: {play: "sound:vm-goodbye", hangup: true}
campaigns:
  plumbing:
    advertiser: acme
    price: "42.00"
    payout: 30
    flow: intake
    route:
      waves:
        - {destinations: [agent-1], after: 12s}
      fallback: {play: "file:nobody.wav"}
    qualify:
      - {connected_at_least: 90s}
numbers:
  "+18005550101": {campaign: plumbing, publisher: homefix, source: sidebar}
"""
GEOGRAPHY = Geography(zips={"10001": ("NY", 40.7, -74.0, None), "09001": ("AE", None, None, None)})


def changed(old: str, new: str) -> str:
    assert SMALL.count(old) >= 1, old
    return SMALL.replace(old, new, 1)


def findings(text: str, **world: object) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        parse(text, "my.yaml", **world)  # type: ignore[arg-type]
    return caught.value.findings
