"""The ladder in the dialplan: every rung that can fail has what comes after it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ari_app.switch.admission import UNSERVED

DIALPLANS = Path(__file__).parents[3] / "dialplan"
DIALPLAN = (DIALPLANS / "callrace.conf").read_text()
STEPS = [
    line.split(",", 1)[1] for line in DIALPLAN.splitlines() if re.match(r" same => n|exten => s,1,", line)
]


def following(start: str) -> list[str]:
    """The steps after the one that begins so."""
    found = next(n for n, step in enumerate(STEPS) if step.startswith(start))
    return STEPS[found + 1 :]


def test_a_stasis_that_fails_or_is_not_served_goes_on_to_the_agi_route() -> None:
    assert following("Stasis(")[0] == 'GotoIf($["${STASISSTATUS}" = "SUCCESS"]?end)'
    assert f" same => n({UNSERVED})," in DIALPLAN
    assert any(step.startswith("AGI(agi://127.0.0.1:@AGI_PORT@/route,") for step in following("Stasis("))


def test_an_agi_that_fails_or_never_answers_goes_on_to_the_apology() -> None:
    assert 'GotoIf($["${AGISTATUS}" != "SUCCESS"]?sorry)' in following("AGI(")[:3]
    assert 'GotoIf($["${CALLRACE_RESULT}" != "DIAL"]?sorry)' in following("AGI(")[:6]
    assert 'exten => T,1,GotoIf($["${CALLRACE_ASKS}" = "1"]?s,sorry)\n same => n,Hangup()' in DIALPLAN
    before, after = DIALPLAN.split("AGI(agi:")
    assert before.rindex("Set(CALLRACE_ASKS=1)") and after.index("Set(CALLRACE_ASKS=)") < after.index("Dial(")


def test_nothing_is_dialled_but_what_the_agi_server_made() -> None:
    assert re.findall(r"\bDial\(([^,]*),", re.sub(r"(?m)^ ?;.*$", "", DIALPLAN)) == [
        "${CALLRACE_DIAL}",
        "PJSIP/@LAST_RESORT@@main",
    ]


@pytest.mark.parametrize("file", ["callrace.conf", "pieces.conf"])
def test_who_is_rung_for_a_campaign_talks_no_longer_than_was_reserved_for(file: str) -> None:
    text = (DIALPLANS / file).read_text()
    dials = re.findall(r"^ same => .*Dial\(\$.*$", text, re.M)
    assert len(dials) == 1 and "S(${CALLRACE_LIMIT})" in dials[0]
    assert text.index("Set(CALLRACE_LIMIT=14400)") < text.index("/route,")  # should the server not say
