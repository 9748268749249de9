"""How carriers write an INVITE: the number called, the caller's, the attestation. The number is nobody's."""

from collections.abc import Callable, Mapping

import pytest

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.lab.sipp import Caller, Written
from tests.kit.interop import interop
from tests.live.exchange import DID, Exchange, marketplace

pytestmark = pytest.mark.live

Calling = Callable[..., Caller]

NOBODY = {"agent": {"extension": "agent-101"}}  # a phone that has not registered
NOBODYS = "+18005550199"
ANI = "+12125550142"


async def heard(exchange: Exchange, calling: Calling, **written: object) -> CallRecord:
    """The record of a call whose INVITE is written so."""
    async with calling(did=NOBODYS, written=Written(**written)) as who:
        record = await exchange.record()
        assert (await who.outcome()).status == 404
    return record


def trunk(**rules: object) -> Mapping[str, object]:
    return marketplace(NOBODY) | {"trunks": {"carrier": rules}}


CALLED = (
    "+18005550199;npdi=yes",
    "+18005550199;npdi=yes;rn=+12129990000",
    "%2B18005550199",
    "+1-800-555-0199",
    "18005550199",
    "8005550199",
    "0018005550199",
    "01118005550199",
)


@interop("A2", *(f"Request line for `{request}`" for request in CALLED), does=f"{NOBODYS} is called")
async def test_the_called_number_is_read_in_every_way_that_carriers_write_it(
    exchange: Exchange, calling: Calling
) -> None:
    exchange.apply(trunk())
    for request in CALLED:
        record = await heard(exchange, calling, request=request)
        assert (record.did, record.ani) == (NOBODYS, ANI), request


CALLERS = {
    "<sip:212-555-0142@127.0.0.1>": ANI,
    "<sip:(212)%205550142@127.0.0.1>": ANI,
    "<sip:0012125550142@127.0.0.1>": ANI,
    '"Bob :) \\" ((" <sip:212-555-0142@127.0.0.1>': ANI,
    "<sip:011442071234567@127.0.0.1>": "+442071234567",
    "<sip:2125550142;phone-context=+1@127.0.0.1;user=phone>": ANI,
    "<sip:+15555555555@127.0.0.1>": None,
    "<sip:7378742833@127.0.0.1>": None,
    "<sip:anonymous@anonymous.invalid>": None,
}


@interop(
    "A3", *(f"From: `{it}`" for it, ani in CALLERS.items() if ani), does="it is read as the caller's number"
)
@interop(
    "A3", *(f"From: `{it}`" for it, ani in CALLERS.items() if not ani), does="the caller's number is withheld"
)
async def test_the_callers_number_is_read_from_from(exchange: Exchange, calling: Calling) -> None:
    exchange.apply(trunk())
    for from_, ani in CALLERS.items():
        record = await heard(exchange, calling, from_=from_)
        assert (record.did, record.ani) == (NOBODYS, ani), from_


IDENTITIES = {
    ("P-Asserted-Identity: <sip:+13105550142@carrier.example>, <tel:+13105550142>",): "+13105550142",
    ("P-Asserted-Identity: <tel:+1-310-555-0142>",): "+13105550142",
    (
        "P-Asserted-Identity: <sip:alice@carrier.example>",
        "P-Asserted-Identity: <tel:+13105550142>",
    ): "+13105550142",
    ("P-Asserted-Identity: <sip:+13105550142@carrier.example>, <tel:+13105550142>", "Privacy: id"): None,
    ("Privacy: id",): None,
    ("Privacy: none",): ANI,
}


@interop(
    "A3",
    *("`" + "`, `".join(it) + "`" for it, ani in IDENTITIES.items() if ani),
    does="whom the carrier asserts, else From, is the caller",
)
@interop(
    "A3",
    *("`" + "`, `".join(it) + "`" for it, ani in IDENTITIES.items() if not ani),
    does="the caller's number is withheld",
)
async def test_who_calls_is_whom_the_carrier_asserts_but_for_who_wants_privacy(
    exchange: Exchange, calling: Calling
) -> None:
    exchange.apply(trunk())
    for headers, ani in IDENTITIES.items():
        assert (await heard(exchange, calling, headers=headers)).ani == ani, headers


PLACES = (
    ("To", {"request": "acme-1", "to": "<sip:+18005550199@127.0.0.1>"}),
    ("To", {"request": "our.callrace-account", "to": "<sip:8005550199@127.0.0.1;user=phone>"}),
    ("P-Called-Party-ID", {"headers": ["P-Called-Party-ID: <sip:+18005550199@127.0.0.1>"]}),
    ("X-DID", {"headers": ["x-other: 1", "X-DID: 7742#1-800-555-0199", "X-Third: 3"]}),
    ("request", {"request": "7742#18005550199"}),
)


def told(place: str, written: Mapping[str, object]) -> str:
    """How docs/interop.md names a way to write the called number."""
    parts = written.get("request"), written.get("to"), *written.get("headers", ())
    return f"INVITE with {', '.join(f'`{part}`' for part in parts if part)}, of a trunk with `number_in: {place}`"


@interop(
    "A2",
    *(told(place, written) for place, written in PLACES),
    does="it is read from there, less the trunk's prefix; Diversion and History-Info are kept, never taken for it",
)
async def test_the_called_number_is_read_from_where_the_trunk_has_it(
    exchange: Exchange, calling: Calling
) -> None:
    for place, written in PLACES:
        exchange.apply(trunk(number_in=place, prefix="7742#"))
        request = written.get("request", "account9")
        diverted = [
            "Diversion: <sip:+13105550199@127.0.0.1>;reason=no-answer",
            "History-Info: <sip:+13105550198@h>;index=1",
        ]
        headers = [*written.get("headers", ()), *diverted]
        record = await heard(exchange, calling, **(written | {"request": request, "headers": headers}))
        assert record.did == NOBODYS, place
        assert record.diversion == ["<sip:+13105550199@127.0.0.1>;reason=no-answer"]
        assert record.history_info == ["<sip:+13105550198@h>;index=1"]


@interop(
    "A2",
    "A tracking number in a header that the trunk does not read",
    does="404; the record and the doctor name the header",
)
async def test_a_tracking_number_where_the_trunk_does_not_look_is_named(
    exchange: Exchange, calling: Calling
) -> None:
    exchange.apply(trunk())
    record = await heard(exchange, calling, request="acme-1", to=f"<sip:{DID}@127.0.0.1>")
    details = {event.what: event.detail for event in record.events}
    assert details[EventName.NUMBER_ELSEWHERE] == "To; trunks.carrier.number_in is request"


ATTESTED = (
    ("P-Attestation-Indicator", ["P-Attestation-Indicator: A"], "A"),
    ("Attestation-Info", ["Attestation-Info: B"], "B"),
    ("X-Attestation", ["X-Attestation: attest=C"], "C"),
    ("verstat", ["P-Asserted-Identity: <sip:+12125550142;verstat=TN-Validation-Passed@127.0.0.1>"], "A"),
    ("verstat", ["P-Asserted-Identity: <tel:+12125550142;verstat=TN-Validation-Passed-B>"], "B"),
    ("verstat", ["P-Asserted-Identity: <tel:+12125550142;verstat=TN-Validation-Failed>"], None),
)


@interop(
    "A4",
    *(f"`{headers[0]}`, with `attestation_from: {place}`" for place, headers, level in ATTESTED if level),
    does="the caller is attested so",
)
@interop(
    "A4",
    *(f"`{headers[0]}`, with `attestation_from: {place}`" for place, headers, level in ATTESTED if not level),
    does="there is no attestation",
)
async def test_the_attestation_is_read_from_where_the_trunk_has_it(
    exchange: Exchange, calling: Calling
) -> None:
    for place, headers, level in ATTESTED:
        exchange.apply(trunk(attestation_from=place))
        record = await heard(exchange, calling, headers=headers)
        assert (record.ani, record.attestation) == (ANI, level), headers


HOSTILE = (
    "X-" + "a" * 39 + ": " + '(),:;%&=${SHELL(id)}\\"' * 9,
    *(f"X-H{n}: {'%' * 300}" for n in range(12)),
    "P-Asserted-Identity: " + ")" * 250,
    "Diversion: " + "%" * 500,
    "History-Info: " + '"' * 500,
    "Privacy: " + "(" * 300,
)


@interop(
    "A3",
    "Headers of every kind, much too long, full of brackets, quotes and dollar signs",
    does="they are text, and the call is a call",
)
async def test_headers_of_any_kind_and_length_are_no_more_than_text(
    exchange: Exchange, calling: Calling
) -> None:
    exchange.apply(trunk())
    record = await heard(exchange, calling, headers=HOSTILE)
    assert (record.did, record.ani) == (NOBODYS, None)
