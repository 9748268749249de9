"""The topic of each field that parties are shown: by noun and path, as docs/ has them.

What has no row is shown to the operator alone.
"""

from __future__ import annotations

from collections.abc import Mapping


def _fields(**paths: str) -> dict[str, str]:
    """The topic of each path, from paths by topic, separated by spaces."""
    return {path: topic for topic, listed in paths.items() for path in listed.split()}


_RTP = "received received_lost sent sent_lost jitter_ms round_trip_ms mos"


def _rtp(of: str) -> str:
    """The paths of what one line carried."""
    return " ".join(f"{of}rtp.{one}" for one in _RTP.split())


_TOLD: Mapping[str, Mapping[str, str]] = {
    "Call": _fields(
        facts="""id did attestation campaign disposition started_at answered_at offered_at connected_at ended_at
            end_source place place.state place.timezone place.from durations_ms durations_ms.total durations_ms.ivr
            durations_ms.wait durations_ms.connected durations_ms.first events events[].at events[].what""",
        caller_numbers="ani",
        answers="answers place.zip",
        advertiser_names="advertiser",
        publisher_names="publisher",
        sources="source",
        destinations="legs[].destination winner",
        race="""legs legs[].wave legs[].outcome legs[].offered_at legs[].ringing_at legs[].answered_at
            legs[].accepted_at legs[].ended_at legs[].lost_by_ms transfers transfers[].outcome transfers[].asked_at
            transfers[].ringing_at transfers[].answered_at transfers[].ended_at""",
        routing="excluded excluded[].destination excluded[].reason legs[].forwarded_to events[].detail "
        "transfers[].asked transfers[].to transfers[].why",
        carriage="diversion history_info legs[].hangup_cause legs[].failure transfers[].trunk transfers[].hangup_cause",
        sound=" ".join(
            [
                *(f"{of}rtp {_rtp(of)}" for of in ("", "legs[].", "transfers[].")),
                *(
                    f"{of}line {of}line.last_packet_at {of}line.held_ms {of}line.died_at"
                    for of in ("", "legs[].")
                ),
            ]
        ),
        verdict="""terms_version qualification qualification.qualified qualification.waits_until
            qualification.clauses qualification.clauses[].name qualification.clauses[].passed
            qualification.clauses[].detail qualification.parts qualification.parts[].name qualification.parts[].due
            qualification.parts[].clauses qualification.parts[].clauses[].name qualification.parts[].clauses[].passed
            qualification.parts[].clauses[].detail conversion conversion.at conversion.told_at""",
        sales="conversion.ref",
        own_money="""money money.currency adjustments adjustments[].key adjustments[].at adjustments[].debit
            adjustments[].credit adjustments[].amount adjustments[].reason disputes""",
        price="qualification.parts[].price money.price money.charged money.reserved money.net_charged",
        payout="qualification.parts[].payout money.payout money.paid money.net_paid",
        recordings="""recording recording.caller recording.agent recording.started_at recording.keep_until
            recording.deleted_at""",
    ),
    "LiveCall": _fields(
        facts="id did campaign state place started_at stage phase connected_at",
        caller_numbers="ani",
        advertiser_names="advertiser",
        publisher_names="publisher",
        sources="source",
        destinations="winner legs[].destination",
        race="legs legs[].wave legs[].phase legs[].outcome legs[].since",
    ),
    "Live": _fields(
        facts="at calls today today[].currency today[].calls today[].connected today[].qualified",
        price="today[].charged today[].corrected_charged",
        payout="today[].paid today[].corrected_paid",
        operation="switch",
    ),
    "Section": _fields(facts="title lines"),
    "Agent": _fields(
        facts="capacity in_use paused",
        destinations="agent",
        advertiser_names="advertiser",
        routing="dial",
    ),
    "Pause": _fields(facts="paused", destinations="agent"),
    "Application": _fields(
        facts="id campaign state since numbers", notes="note", publisher_names="publisher", staff="by"
    ),
    "ApplicationStep": _fields(facts="at event state", notes="note", staff="by"),
    "Number": _fields(
        facts="did campaign kind region status free_from",
        publisher_names="publisher",
        sources="source",
        carriage="trunk",
        operation="origin",
    ),
    "NumberGiven": _fields(facts="did campaign", publisher_names="publisher", sources="source"),
    "Cap": _fields(facts="owner id key cap limit used reserved left period_start resets_at"),
    "Conversion": _fields(
        facts="call campaign waits_until converted_at told_at became currency",
        sales="ref",
        price="price charged net_charged",
        payout="payout paid net_paid",
    ),
    "ConversionsTaken": _fields(facts="decided noted known"),
    "Recording": _fields(
        recordings="call campaign started_at keep_until deleted_at state",
        operation="files",
    ),
    "Ad": _fields(
        facts="creative campaign kind size number number_text tel files",
        publisher_names="publisher",
        sources="source",
    ),
    "Balance": _fields(own_money="account currency posted held reserved available"),
    "StatementLine": _fields(
        own_money="""key at kind debit credit amount effect currency call_id terms_version resolves reason after
            after.posted after.held after.available"""
    ),
    "Dispute": _fields(
        own_money="id call_id state currency events events[].at events[].what events[].reason",
        advertiser_names="advertiser",
        publisher_names="publisher",
        price="claimed credited events[].amount",
        payout="events[].clawback",
        staff="events[].by",
    ),
    "Bill": _fields(
        own_money="""kind number party name currency period timezone from until issued_at lines lines[].what
            lines[].campaign lines[].earlier lines[].count lines[].amount opening total payments closing"""
    ),
    "BillItem": _fields(own_money="at account call campaign amount currency reason"),
    "PayoutRun": _fields(
        own_money="""key at currency until hold_days minimum payouts payouts[].publisher payouts[].amount
            payouts[].calls payouts[].key""",
        operation="waits waits[].reason waits[].publishers waits[].amount",
    ),
    "Report": _fields(facts="by timezone since until only lines total"),
    "CallsLine": _fields(
        facts="""campaign state hour day incoming live answered connected qualified conversion average_wait_ms
            average_talk_ms offered repeat no_answer no_route abandoned_ivr abandoned_queue flow_ended blocked closed
            capped unknown_number failed money money[].currency""",
        advertiser_names="advertiser",
        publisher_names="publisher",
        sources="source",
        routing="caps",
        price="money[].revenue money[].revenue_per_call money[].corrected_revenue money[].later_revenue",
        payout="money[].payout money[].corrected_payout money[].later_payout",
        margin="money[].cost money[].profit money[].margin",
        operation="calls",
    ),
    "OffersLine": _fields(
        race="""offered live won win_rate average_accept_ms late average_late_ms answered accepted lost declined
            no_answer busy forwarded failed cancelled""",
        destinations="destination",
        routing="caps",
        operation="calls",
    ),
    "EndingsLine": _fields(facts="disposition incoming share", operation="calls"),
    "Forensics": _fields(
        sound="timezone since until only payable_ms just_s seconds seconds[].second seconds[].connections total "
        "destinations publishers",
        operation="seconds[].calls",
    ),
    "Nearness": _fields(
        sound="connections before after before_share after_share skew",
        destinations="destination",
        publisher_names="publisher",
        operation="calls_before calls_after",
    ),
    "Applied": _fields(
        facts="version switch",
        operation="""changes changes[].kind changes[].what changes[].name changes[].fields changes[].fields[].path
            changes[].fields[].before changes[].fields[].after accounts accounts[].what accounts[].name
            accounts[].currency accounts[].balance accounts[].set_aside prompts warnings""",
    ),
    "Warning": _fields(routing="campaign limit admits path words"),
    "Trial": _fields(
        facts="""did at campaign terms_version refused refused.disposition refused.reason flow flow.path flow.answers
            flow.unused flow.ends place place.state place.zip place.timezone place.from""",
        caller_numbers="ani",
        advertiser_names="advertiser",
        publisher_names="publisher",
        sources="source",
        routing="""waves waves[].wave waves[].after_ms waves[].destinations excluded excluded[].destination
            excluded[].reason warnings""",
    ),
}

_ENTRIES: Mapping[str, Mapping[str, str]] = {
    "Advertiser": _fields(own_money="id name timezone dispute_window billing caps"),
    "Publisher": _fields(own_money="id name timezone caps"),
    "Destination": _fields(
        advertiser_names="advertiser",
        destinations="id",
        routing="dial covers hours capacity priority weight auto_pause attestation caps headers",
    ),
    "Campaign": _fields(
        facts="id currency status hours recording visibility applications bonus bonus[].name",
        verdict="qualify duration_of bonus[].when staged staged.from staged.qualify staged.duration_of staged.bonus "
        "staged.bonus[].name staged.bonus[].when",
        advertiser_names="advertiser",
        price="price price_when bonus[].price staged.price staged.price_when staged.bonus[].price",
        payout="payout payout_when overrides bonus[].payout staged.payout staged.payout_when staged.overrides "
        "staged.bonus[].payout",
        routing="route flow screen caps transfer",
        operation="invited",
    ),
    "Flow": _fields(routing="id start nodes longest"),
    "Creative": _fields(facts="id campaign kind image sha256 size text html address status reason"),
}

FIELDS: Mapping[str, Mapping[str, str]] = {**_TOLD, **_ENTRIES}
"""By noun: what is told of calls and money, and the entries of the marketplace, each with its `id`."""

HOLDS: Mapping[tuple[str, str], str] = {
    ("Call", "disputes"): "Dispute",
    ("Live", "calls"): "LiveCall",
    ("CallsLine", "caps"): "Cap",
    ("OffersLine", "caps"): "Cap",
    ("Forensics", "total"): "Nearness",
    ("Forensics", "destinations"): "Nearness",
    ("Forensics", "publishers"): "Nearness",
    ("Applied", "warnings"): "Warning",
    ("Trial", "warnings"): "Warning",
}
"""The fields that hold other nouns, or lists of them. A report's lines are by what it has a line for each of."""
