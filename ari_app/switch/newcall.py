"""A new call: who called whom, as the carrier's INVITE or the dialplan says."""

from __future__ import annotations

from ari_app.ari.client import Client
from ari_app.ari.events import StasisStart
from ari_app.domain.calls import telephone
from ari_app.domain.calls.carrier import (
    Signalled,
    invite_of,
    signalled,
    trunk_of,
    unread,
)
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.attestation import attestation_of
from ari_app.domain.market.marketplace import Trunk
from ari_app.domain.routing.recovery import UnderWay
from ari_app.domain.routing.snapshot import Snapshot, attribute
from ari_app.serving.clock import CallClock
from ari_app.serving.ids import mint_call_id
from ari_app.store.calls.journal import Journal
from ari_app.switch.call import Call


def new_call(client: Client, start: StasisStart, snapshot: Snapshot | None, journal: Journal) -> Call:
    """The call of a channel that the dialplan hands over: Stasis(callrace,in,,,,LEG_OF,DELIVERY,INVITE).

    An operator's own dialplan may use Stasis(callrace,in,DID,ANI,ATTESTATION), also without the attestation.
    `snapshot` is the marketplace for this call. LEG_OF and DELIVERY are for `switch.doubles`.
    """
    now = CallClock().now()
    trunk = trunk_of(start.channel_name)
    rules = snapshot.marketplace.trunk(trunk) if snapshot is not None else Trunk()
    _, did, ani, attested, _, _, text = (*start.args, *[""] * 7)[:7]
    invite = invite_of(text)
    if invite is None:
        said = Signalled(did, telephone.caller(ani), attestation_of(attested))
    else:
        said = signalled(invite, rules)
    record = CallRecord(
        id=mint_call_id(now),
        did=said.did,
        ani=said.ani,
        started_at=now,
        attestation=said.attestation,
        diversion=list(said.diversion),
        history_info=list(said.history_info),
    )
    version = snapshot.version if snapshot is not None else 0
    call = Call(client, journal, UnderWay(record, {"caller": start.channel_id}, version, trunk=trunk))
    called = record.did or "no telephone number"
    call.note(EventName.RECEIVED, f"{record.ani or 'anonymous'} called {called}", at=now)
    if invite is not None and snapshot is not None:
        for what, where in unread(invite, rules, lambda number: attribute(snapshot, number, now) is not None):
            call.note(what, where, at=now)
    return call
