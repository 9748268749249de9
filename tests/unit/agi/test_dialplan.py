"""The ladder in the dialplan: every rung that can fail has what comes after it."""

from __future__ import annotations

import re
from pathlib import Path

from ari_app.switch.app import UNSERVED

DIALPLAN = (Path(__file__).parents[3] / "dialplan" / "callrace.conf").read_text()
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
    assert 'GotoIf($["${AGISTATUS}" != "SUCCESS"]?sorry)' in following("AGI(")[:2]
    assert 'GotoIf($["${CALLRACE_RESULT}" != "DIAL"]?sorry)' in following("AGI(")[:5]
    assert "exten => T,1,Goto(s,sorry)" in DIALPLAN


def test_nothing_is_dialled_but_what_the_agi_server_made() -> None:
    assert re.findall(r"\bDial\(([^,]*),", re.sub(r"(?m)^ ?;.*$", "", DIALPLAN)) == [
        "${CALLRACE_DIAL}",
        "PJSIP/@LAST_RESORT@@main",
    ]
