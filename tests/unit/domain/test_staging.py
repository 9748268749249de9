"""Terms that are staged, and then current from a moment on."""

import yaml

from ari_app.domain.basics.clock import from_iso
from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.calls.geo import Geography
from ari_app.domain.document.reading import parse, to_document
from ari_app.domain.routing.snapshot import attribute, make_snapshot
from tests.kit.market import DID, marketplace

FROM = "2026-12-01T00:00-05:00"
AT = from_iso(FROM)
DEARER = {"from": FROM, "price": "50.00", "qualify": [{"connected_at_least": "2m"}]}


def market(staged=DEARER):
    agents = {"agent": "sip:a@127.0.0.1:5999"}
    document = marketplace(agents, qualify=[{"connected_at_least": "90s"}], campaign={"staged": staged})
    return parse(yaml.safe_dump(document), "test.yaml")


def found(at):
    return attribute(make_snapshot(1, market(), {"plumbing": 3}, Geography(), {}, {"plumbing": 4}), DID, at)


def test_a_call_is_pinned_to_the_terms_of_the_moment_that_it_begins_at():
    before, after = found(AT - 1), found(AT)
    assert (before.terms_version, before.campaign.price) == (3, 4200)
    assert (after.terms_version, after.campaign.price) == (4, 5000)
    assert after.campaign.qualify[0].connected_at_least == 120_000


def test_what_the_staged_terms_leave_out_stays_as_it_is():
    assert found(AT).campaign.payout == found(AT - 1).campaign.payout == 3000


def test_a_staged_moment_comes_back_as_the_same_moment():
    document = to_document(market())
    assert from_iso(document["campaigns"]["plumbing"]["staged"]["from"]) == AT


def test_a_moment_without_its_offset_and_a_clause_that_cannot_be_are_refused_where_they_stand():
    for staged, complaint in (
        ({**DEARER, "from": "2026-12-01T00:00"}, "staged.from: expected a time with its offset"),
        (
            {**DEARER, "price": {"share": "50%"}},
            "staged.price: expected an amount or exactly one of per_minute",
        ),
    ):
        try:
            market(staged)
        except DocumentError as refused:
            assert complaint in str(refused)
            assert len(refused.findings) == 1
        else:
            raise AssertionError(f"accepted: {staged}")
