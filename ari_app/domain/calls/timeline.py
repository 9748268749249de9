"""The timeline of a call: the name of every event that can be in one.

Code that writes or reads an event takes its name from here. These names are a contract: readers of the call record
depend on them (`docs/record.md`). An event's `detail` is for people, and its words may change. An event that another
version of Callrace wrote may have a name that is not here.
"""

from __future__ import annotations

from enum import StrEnum


class EventName(StrEnum):
    """What happened. The comment says what the detail is, where there is one; of a phone it begins with its name."""

    # A call comes in
    RECEIVED = "received"  # who called which number
    NUMBER_ELSEWHERE = "known number not looked for"  # where it stands, the trunk, where that looks
    ATTESTATION_ELSEWHERE = "attestation not read"  # where it stands, the trunk, where that looks
    ATTRIBUTED = "attributed"  # campaign, publisher, source, version of the terms
    UNKNOWN_NUMBER = "unknown number"  # the number called
    REFUSED = "refused"  # why the call was not taken
    CAME_AGAIN = "came again"  # as what, while it was under way already
    CALL_ANSWERED = "call answered"

    # The caller is asked
    ASKED = "asked"  # the node of the flow
    ANNOUNCED = "announced"  # the node of the flow
    ENTERED = "entered"  # what was pressed
    ENTERED_WRONGLY = "entered wrongly"  # what was pressed
    ENTERED_NOTHING = "entered nothing"
    FLOW_ENDED = "flow ended"  # at which node, and why
    LOCATED = "located"  # where the caller is, and from what that is known

    # Phones
    EXCLUDED = "excluded"  # who is not rung, and why
    NOBODY_ELIGIBLE = "no destination is eligible"
    OFFERED = "offered"  # in which wave
    RINGING = "ringing"
    ANSWERED = "answered"
    WITHOUT_SOUND = "answered without sound"
    FORWARDED = "forwarded"  # where the phone says that its calls are taken
    PRESSED = "pressed"  # which key
    AT_CAPACITY = "at capacity"  # how many calls it has
    ON_ANOTHER_CALL = "on another call"  # a party that Callrace does not know
    TRUNK_FULL = "trunk full"  # which trunk, and how many calls it has
    NOT_DIALLED = "not dialled"  # what Asterisk said
    OTHER_TRUNK = "dialled by its other trunk"  # by which, and why
    ACCEPTED = "accepted"  # who won
    GONE = "gone"  # the Q.850 cause
    NOT_CONFIRMED_GONE = "not confirmed gone"
    VANISHED = "vanished"  # a winner before it was connected
    NOBODY_LEFT = "nobody left to ring"
    RUNG_BY_THE_DIALPLAN = "rung by the dialplan"  # who

    # The conversation
    CONNECTED = "connected"
    AGENT_HUNG_UP = "agent hung up"
    TRANSFER_ASKED = "transfer asked for"  # to what
    TRANSFER_REFUSED = "transfer refused"  # why
    TRANSFER_RUNG = "transfer rung"  # who, and by which trunk
    TRANSFER_FAILED = "transfer failed"  # who, and how
    AGENT_LEFT_FIRST = "agent left before the transfer"
    TRANSFERRED = "transferred"  # to whom
    TRANSFEREE_GONE = "transferee gone"  # who, and the Q.850 cause
    LINE_DEAD = "line dead"  # whose, and until when it lived
    INTRUDER = "intruder hung up"  # its channel's id
    LONGEST_DURATION = "longest duration reached"
    RECORDING_ANNOUNCED = "recording announced"  # why the caller had to be told
    RECORDING_NOT_ANNOUNCED = "recording not announced"  # why not
    RECORDING_STARTED = "recording started"
    RECORDING_ASSUMED = "recording assumed"  # why it is not known
    RECORDING_WENT_ON = "recording went on"
    NOT_RECORDED = "not recorded"  # why
    RECORDING_DELETED = "recording deleted"  # why

    # The end
    CALLER_HUNG_UP = "caller hung up"
    FALLBACK = "fallback"  # what the caller heard
    SWITCH_STOPPED = "switch stopped"
    ASTERISK_RESTARTED = "Asterisk restarted"
    FAILED = "failed"  # why
    REQUEST_FAILED = "request failed"  # what Asterisk said
    HANGUP_FAILED = "hang-up failed"  # what Asterisk said
    ENDED = "ended"  # by whom
    JUDGED = "judged"  # the verdict
    COUNTED = "conversation counted"  # which part of it, and how long that was
    BILLED = "billed"  # how the price came about

    # A switch died, or its connection did
    ASTERISK_IS_BACK = "asterisk is connected again"
    SWITCH_RESTARTED = "switch restarted"  # until when the one before was seen
    RESUMED = "taken up again"  # who talks
    RESTARTED = "begun again"  # where
    SET_ASIDE = "set aside"  # what was done for the people in it
    CALLER_WAS_GONE = "the caller was gone when the switch was back"
    AGENT_WAS_GONE = "the agent was gone when the switch was back"
    WERE_APART = "caller and agent were apart when the switch was back"

    # Later
    CONVERTED = "converted"  # when, and the advertiser's reference
    ERASED = "erased"  # what
