"""What the API changes: once under one name, of what was seen, and told as the commands tell it."""

from __future__ import annotations

import pytest
from httpx import AsyncClient
from sqlalchemy import Engine

from ari_app.domain.calls.record import Tracks
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.web.state import Web
from tests.samples import make_call, settlement
from tests.web.conftest import Client, post

CALL = make_call(1).id
DEPOSIT = {"advertiser": "acme", "amount": "500.00", "key": "wire-1"}


async def test_a_post_under_one_name_is_done_once_and_answered_alike(asking: Client) -> None:
    client = asking()
    first = await post(client, "/ledger/deposits", DEPOSIT, "r1")
    again = await post(client, "/ledger/deposits", DEPOSIT, "r1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() == {**DEPOSIT, "currency": "USD", "is_new": True}
    assert "idempotency-replayed" not in first.headers and again.headers["idempotency-replayed"] == "true"
    assert first.headers["etag"] == again.headers["etag"]


async def test_another_body_or_another_address_under_the_name_is_refused(asking: Client) -> None:
    client = asking()
    await post(client, "/ledger/deposits", DEPOSIT, "r1")
    for path, body in (
        ("/ledger/deposits", DEPOSIT | {"amount": "1.00"}),
        ("/ledger/refunds", DEPOSIT | {"reason": "x"}),
    ):
        refused = await post(client, path, body, "r1")
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert (await post(asking(), "/ledger/deposits", DEPOSIT, "r1")).json()["is_new"] is False, (
        "another key's own names"
    )


async def test_a_post_without_a_name_is_refused_and_does_nothing(asking: Client) -> None:
    client = asking()
    refused = await client.post("/ledger/deposits", json=DEPOSIT)
    assert refused.status_code == 422 and "Idempotency-Key" in refused.json()["detail"]
    assert (await post(client, "/ledger/deposits", DEPOSIT)).json()["is_new"] is True


async def test_a_refusal_leaves_the_name_free(asking: Client) -> None:
    client = asking()
    assert (await post(client, "/ledger/deposits", DEPOSIT | {"amount": "much"}, "r1")).status_code == 422
    assert (await post(client, "/ledger/deposits", DEPOSIT, "r1")).status_code == 201


@pytest.mark.parametrize("amount", ["500", "5e2", "500.000", "-1.00", "NaN", 500, 500.0, None, "", "٥"])
async def test_an_amount_is_a_decimal_string_or_refused(asking: Client, amount: object) -> None:
    answer = await post(asking(), "/ledger/deposits", DEPOSIT | {"amount": amount})
    assert answer.status_code == (201 if amount == "500" else 422)


async def test_a_field_that_is_not_known_is_refused(asking: Client) -> None:
    refused = await post(asking(), "/ledger/deposits", DEPOSIT | {"amonut": "1.00"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"field": "amonut", "why": "Extra inputs are not permitted"}]


async def test_an_edit_is_of_what_was_seen(asking: Client) -> None:
    client = asking()
    seen = await client.get("/destinations/agent-1")
    without = await client.patch("/destinations/agent-1", json={"capacity": 2})
    assert (without.status_code, without.json()["code"]) == (428, "if_match_required")
    edited = await client.patch(
        "/destinations/agent-1", json={"capacity": 2}, headers={"if-match": seen.headers["etag"]}
    )
    assert edited.status_code == 200
    [change] = edited.json()["changes"]
    assert change["fields"] == [{"path": "capacity", "before": 1, "after": 2}]
    late = await client.patch(
        "/destinations/agent-1", json={"capacity": 9}, headers={"if-match": seen.headers["etag"]}
    )
    assert (late.status_code, late.json()["code"]) == (412, "edited_meanwhile")
    now = await client.get("/destinations/agent-1")
    assert now.json()["capacity"] == 2 and now.headers["etag"] != seen.headers["etag"]


async def test_what_changes_elsewhere_is_no_change_of_this(asking: Client) -> None:
    client = asking()
    seen = (await client.get("/destinations/agent-1")).headers["etag"]
    await client.patch("/destinations/agent-2", json={"capacity": 7}, headers={"if-match": "*"})
    edited = await client.patch("/destinations/agent-1", json={"priority": 2}, headers={"if-match": seen})
    assert edited.status_code == 200


async def test_a_merge_patch_takes_fields_away_and_a_wrong_one_changes_nothing(asking: Client) -> None:
    client, known = asking(), {"if-match": "*"}
    assert (
        await client.patch("/destinations/agent-1", json={"hours": None}, headers=known)
    ).status_code == 200
    assert "hours" not in (await client.get("/destinations/agent-1")).json()
    wrong = await client.patch("/destinations/agent-1", json={"covers": {"states": ["XX"]}}, headers=known)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "document_refused")
    assert wrong.json()["errors"]


async def test_a_marketplace_is_planned_and_applied_as_a_whole(asking: Client) -> None:
    client = asking()
    exported = await client.get("/marketplace")
    document = exported.json() | {"publishers": exported.json()["publishers"] | {"radio": {"name": "Radio"}}}
    document["flows"]["intake"]["nodes"]["goodbye"] = {"play": "tts:Goodbye.", "hangup": True}
    planned = await post(client, "/marketplace/plan", document)
    assert {change["name"] for change in planned.json()["changes"]} == {"intake", "radio"}
    assert (await client.get("/publishers/radio")).status_code == 404, "planned, and no more"
    known = {"if-match": exported.headers["etag"]}
    applied = await client.post("/marketplace/apply", json=document, headers=known | {"idempotency-key": "1"})
    assert applied.json()["version"] == planned.json()["version"]
    assert (await client.get("/publishers/radio")).json()["name"] == "Radio"
    document["publishers"]["radio"] = {"name": "Other"}
    late = await client.post("/marketplace/apply", json=document, headers=known | {"idempotency-key": "2"})
    assert (late.status_code, late.json()["code"]) == (409, "marketplace_moved")


async def test_a_prompt_that_asterisk_cannot_be_asked_about_is_told_as_such(asking: Client) -> None:
    client = asking()
    answer = await post(client, "/marketplace/plan", (await client.get("/marketplace")).json())
    assert (answer.status_code, answer.json()["code"]) == (503, "not_set_up")
    assert "secrets" not in answer.text


async def test_a_file_of_this_machine_is_not_taken(asking: Client) -> None:
    client = asking()
    document = (await client.get("/marketplace")).json()
    document["flows"]["intake"]["nodes"]["goodbye"] = {"play": "file:README.md", "hangup": True}
    refused = await post(client, "/marketplace/plan", document)
    assert (refused.status_code, refused.json()["code"]) == (422, "document_refused")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"[]", b"currency: [", b"{" * 5000])
async def test_what_is_no_marketplace_is_refused(asking: Client, body: bytes) -> None:
    refused = await asking().post("/marketplace/plan", content=body)
    assert 400 <= refused.status_code < 500, refused.text


async def test_a_dispute_goes_its_way(asking: Client) -> None:
    client = asking()
    opened = (await post(client, "/disputes", {"call_id": CALL, "reason": "a robot"})).json()
    assert (opened["state"], opened["claimed"]) == ("open", "42.00")
    again = await post(client, "/disputes", {"call_id": CALL, "reason": "a robot"})
    assert (again.status_code, again.json()["code"]) == (409, "in_dispute")
    accepted = await post(client, f"/disputes/{opened['id']}/accept", {"amount": "10.00"})
    assert (accepted.json()["state"], accepted.json()["credited"]) == ("accepted", "10.00")
    [account] = [
        one
        for one in (await client.get("/ledger/balances")).json()["data"]
        if one["account"] == "advertiser:acme"
    ]
    assert account["posted"] == "-32.00"


async def test_numbers_are_taken_in_given_and_taken_back(asking: Client) -> None:
    client = asking()
    csv = "did,kind,region,trunk\n+12125550100,local,NY,main\n"
    assert (await post(client, "/numbers/import", {"csv": csv})).json() == {
        "added": 1,
        "changed": 0,
        "same": 0,
    }
    given = await post(client, "/numbers", {"campaign": "plumbing", "publisher": "homefix", "region": "NY"})
    assert (given.status_code, given.json()["did"]) == (201, "+12125550100")
    none_left = await post(
        client, "/numbers", {"campaign": "plumbing", "publisher": "homefix", "region": "NY"}
    )
    assert (none_left.status_code, none_left.json()["code"]) == (409, "stock_is_short")
    released = await post(client, "/numbers/+12125550100/release")
    assert released.json()["campaign"] == "plumbing"
    assert [one["did"] for one in (await client.get("/numbers/+12125550100/history")).json()["data"]] == [
        "+12125550100"
    ]


async def test_a_number_for_nobody_is_refused(asking: Client) -> None:
    refused = await post(asking(), "/numbers", {"campaign": "", "publisher": ""})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_in_force")


async def test_an_application_is_approved_with_numbers(asking: Client) -> None:
    operator, homefix = asking(), asking("publisher:homefix")
    await post(operator, "/numbers/import", {"csv": "did,kind,region,trunk\n+12125550100,local,NY,main\n"})
    sent = await post(homefix, "/applications", {"campaign": "plumbing", "publisher": "homefix"})
    id = sent.json()["id"]
    approved = await post(operator, f"/applications/{id}/approve", {"region": "NY"})
    assert (approved.json()["state"], approved.json()["numbers"]) == ("approved", ["+12125550100"])
    suspended = await post(operator, f"/applications/{id}/suspend", {"reason": "bought traffic"})
    assert suspended.json()["state"] == "suspended"
    steps = (await homefix.get(f"/applications/{id}/steps")).json()["data"]
    assert [step["event"] for step in steps] == ["submit", "approve", "suspend"]
    assert (await asking("publisher:homefix").get("/applications/99/steps")).status_code == 404


async def test_who_did_it_is_in_the_audit_log(asking: Client) -> None:
    client = asking()
    await post(client, "/ledger/deposits", DEPOSIT)
    [entry] = (await client.get("/audit", params={"limit": 1})).json()["data"]
    assert (entry["use_case"], entry["actor"]) == ("ledger.deposit", "program:operator/key 1")


async def test_where_no_switch_runs_that_is_told(asking: Client) -> None:
    answer = await asking().get("/live/calls")
    assert (answer.status_code, answer.json()["code"]) == (503, "switch_not_running")


async def test_a_page_of_another_site_changes_nothing_even_with_a_key(asking: Client, web: Web) -> None:
    client: AsyncClient = asking()
    headers = {"idempotency-key": "1", "origin": "https://evil.example"}
    assert (await client.post("/ledger/deposits", json=DEPOSIT, headers=headers)).status_code == 403


async def test_a_call_is_tried_without_a_call(asking: Client) -> None:
    body = {
        "did": "+18005550101",
        "ani": "+12125550142",
        "press": ["1", "10001"],
        "at": "2025-11-24T10:00:00-05:00",
    }
    tried = await asking().post("/trials/plan", json=body)
    assert tried.json()["campaign"] == "plumbing"
    assert tried.json()["waves"][0]["destinations"]
    theirs = await asking("advertiser:acme").post("/trials/plan", json=body)
    assert theirs.json()["place"]["zip"] == "10001" and "homefix" not in theirs.text


async def test_a_recording_that_is_not_there_is_told_as_such(asking: Client) -> None:
    client = asking()
    assert (await client.get("/recordings")).json()["data"] == []
    for answer in (
        await client.get(f"/calls/{CALL}/recording/caller"),
        await post(client, f"/recordings/{CALL}/delete", {"reason": "asked for"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "no_recording")


async def test_a_recording_is_heard_and_deleted(asking: Client, engine: Engine, settings: Settings) -> None:
    record = make_call(2, recording=Tracks(0, 10**13))
    calls.save(engine, [settlement(record)])
    settings.recordings.mkdir()
    for side in ("caller", "agent"):
        (settings.recordings / f"{record.id}-{side}.wav").write_bytes(b"RIFF" + b"0" * 100)
    client, homefix = asking(), asking("publisher:homefix")
    heard = await client.get(f"/calls/{record.id}/recording/agent")
    assert (heard.headers["content-type"], heard.content[:4]) == ("audio/wav", b"RIFF")
    assert (await homefix.get(f"/calls/{record.id}/recording/agent")).status_code == 404
    deleted = await post(client, f"/recordings/{record.id}/delete", {"reason": "asked for"})
    assert deleted.json() == {"call": record.id}
    assert (await client.get(f"/calls/{record.id}/recording/agent")).status_code == 404
