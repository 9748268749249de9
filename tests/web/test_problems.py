"""Each refusal and each expected error is one problem, with a status, a code and a page that has it."""

from __future__ import annotations

import pytest

from ari_app.desk.refused import Code, Refused
from ari_app.domain.basics.errors import DocumentError
from ari_app.serving.running import SwitchNotRunning
from ari_app.store.db.errors import DatabaseBusy, DatabaseUnavailable, DocumentUnreadable, StepRefused
from ari_app.web.problems import REFUSALS, body, of_error, of_status


@pytest.mark.parametrize("code", list(Code))
def test_each_refusal_has_a_status(code: Code) -> None:
    assert 400 <= REFUSALS[code] < 600


def test_a_refusal_is_told_with_its_code_its_sentence_and_its_facts() -> None:
    problem = of_error(Refused(Code.UNKNOWN, what="campaign", name="night"))
    assert problem is not None
    assert body(problem, "http://here/api/v1/problems", "abc") == {
        "type": "http://here/api/v1/problems#unknown",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no campaign night",
        "code": "unknown",
        "instance": "urn:callrace:request:abc",
        "facts": {"what": "campaign", "name": "night"},
    }


def test_a_refusal_keeps_the_insides_of_this_machine() -> None:
    problem = of_error(
        Refused(Code.SWITCH_IS_BEHIND, version=3, seconds="5", log="/var/lib/callrace/switch.log")
    )
    assert problem is not None
    assert "/var" not in str(body(problem, "", ""))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (
            DatabaseUnavailable("the database postgresql://ada@10.0.0.1/x cannot be used"),
            503,
            "database_unavailable",
        ),
        (DatabaseBusy("in postgresql://ada@10.0.0.1/x"), 503, "busy"),
        (DocumentUnreadable(3, "postgresql://"), 503, "database_unusable"),
        (SwitchNotRunning(), 503, "switch_not_running"),
        (StepRefused("campaign a: it has ended"), 409, "step_refused"),
        (DocumentError(["line 3: no such campaign"]), 422, "document_refused"),
    ],
)
def test_an_expected_error_is_a_problem_without_insides(error: Exception, status: int, code: str) -> None:
    problem = of_error(error)
    assert problem is not None
    assert (problem.status, problem.code) == (status, code)
    assert problem.detail and "postgresql" not in str(body(problem, "", ""))


def test_what_is_wrong_with_a_document_is_told_line_by_line() -> None:
    problem = of_error(DocumentError(["line 3: no such campaign", "line 4: no such publisher"]))
    assert problem is not None
    assert problem.facts == {"errors": ["line 3: no such campaign", "line 4: no such publisher"]}


def test_what_nobody_expects_is_none() -> None:
    assert of_error(ZeroDivisionError()) is None
    assert of_status(418).code == "failed"


def test_who_tries_too_often_is_told_how_long_to_wait() -> None:
    problem = of_error(Refused(Code.TOO_MANY_TRIES, seconds=30))
    assert problem is not None
    assert (problem.status, problem.headers) == (429, {"retry-after": "30"})
