"""The SIPp scenario of a caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

from ari_app.lab.sipp.scenario_parts import BYE_AT_ANY_TIME, END, REASONS, sdp

_REFUSALS = (400, 401, 403, 404, 408, 410, 480, 481, 484, 486, 487, 488, 500, 501, 502, 503, 504, 600, 603)


@dataclass(frozen=True, slots=True)
class Written:
    """A carrier's form of the INVITE: texts that are sent unchanged. None: the usual form.

    `request` is the user part of the request line; `from_` and `to` are the addresses in these headers; `headers` are
    added.
    """

    request: str | None = None
    from_: str | None = None
    to: str | None = None
    headers: Sequence[str] = ()

    def into(self, scenario: str) -> str:
        """The scenario of a caller, with the INVITE in this form."""
        its = {
            f"To: <{_REQUEST}>": None if self.to is None else f"To: {self.to}",
            "From: [field0]": None if self.from_ is None else f"From: {self.from_}",
            "sip:[field1]@": None if self.request is None else f"sip:{self.request}@",
        }
        for usual, other in its.items():
            scenario = scenario if other is None else scenario.replace(usual, other)
        return scenario


USUAL = Written()


def caller_scenario(*, media_port: int, written: Written = USUAL) -> str:
    """A caller: field 0 of the injection file is the From address, field 1 the number dialled."""
    refusals = "\n".join(
        f'  <recv response="{code}" response_txn="call" optional="true" next="refused">'
        f'<action><log message="refused|[timestamp]|[call_id]|status={code}"/></action></recv>'
        for code in _REFUSALS
    )
    return Template(written.into(_START + BYE_AT_ANY_TIME + _CALL + _LEAVE + END)).substitute(
        sdp=sdp(media_port),
        headers=written.into(_HEADERS),
        ack=written.into(_ACK),
        answered=_ANSWERED,
        refusals=refusals,
        reasons=REASONS,
        after_bye="",
        invite_headers="".join(f"{header}\n" for header in written.headers),
    )


_REQUEST = "sip:[field1]@[remote_ip]:[remote_port]"

_HEADERS = """Max-Forwards: 70
From: [field0];tag=[pid]-[call_number]
To: <sip:[field1]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]"""

_ACK = f"""ACK [$contact] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
{_HEADERS}
CSeq: 1 ACK
Content-Length: 0
"""

_ANSWERED = """
      <ereg regexp="m=audio ([0-9]+)" search_in="msg" assign_to="_m,port"/>
      <ereg regexp="sip:[^>]+" search_in="hdr" header="Contact:" assign_to="contact"/>
      <log message="answered|[timestamp]|[call_id]|rtp=[$port]"/>"""

_START = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
  <nop><action><log message="calling|[timestamp]|[call_id]|from=[field0]|to=[field1]"/></action></nop>
  <send retrans="500" start_txn="call" next="calling"><![CDATA[
INVITE sip:[field1]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-call
Max-Forwards: 70
From: [field0];tag=[pid]-[call_number]
To: <sip:[field1]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:[local_ip]:[local_port]>
${invite_headers}Content-Type: application/sdp
Content-Length: [len]

$sdp
]]></send>
  <recv request="HANGUP" optional="global" next="answered_already">
    <action><log message="hung_up|[timestamp]|[call_id]"/></action>
  </recv>
  <recv response="200" response_txn="call" optional="global" next="answered_already">
    <action>$answered</action>
  </recv>
"""

_CALL = """
  <label id="calling"/>
  <recv response="100" response_txn="call" optional="true"/>
  <recv response="180" response_txn="call" optional="true">
    <action><log message="ringing|[timestamp]|[call_id]"/></action>
  </recv>
  <recv response="183" response_txn="call" optional="true"/>
$refusals
  <recv request="HANGUP" optional="true" next="giving_up">
    <action><log message="hung_up|[timestamp]|[call_id]"/></action>
  </recv>
  <recv response="200" response_txn="call">
    <action>$answered
      <log message="established|[timestamp]|[call_id]"/>
    </action>
  </recv>
  <send ack_txn="call"><![CDATA[
$ack
]]></send>
  <recv request="HANGUP" next="leaving">
    <action><log message="hung_up|[timestamp]|[call_id]"/></action>
  </recv>
"""

_LEAVE = """
  <label id="giving_up"/>
  <send><![CDATA[
CANCEL sip:[field1]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-call
Max-Forwards: 70
From: [field0];tag=[pid]-[call_number]
To: <sip:[field1]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 CANCEL
Content-Length: 0

]]></send>
  <recv response="481" response_txn="call" optional="true"/>
  <recv response="200" response_txn="call" optional="true" next="answered_already" test="crossed">
    <action>
      <ereg regexp="INVITE" search_in="hdr" header="CSeq:" assign_to="crossed"/>
      <ereg regexp="sip:[^>]+" search_in="hdr" header="Contact:" assign_to="contact"/>
    </action>
  </recv>
  <recv response="487" response_txn="call">
    <action><log message="refused|[timestamp]|[call_id]|status=487"/></action>
  </recv>

  <label id="refused"/>
  <send ack_txn="call" next="done"><![CDATA[
ACK sip:[field1]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-call
$headers
CSeq: 1 ACK
Content-Length: 0

]]></send>

  <label id="answered_already"/>
  <send ack_txn="call"><![CDATA[
$ack
]]></send>

  <label id="leaving"/>
  <send><![CDATA[
BYE [$$contact] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
$headers
CSeq: 2 BYE
Content-Length: 0

]]></send>
  <recv response="481" optional="true" next="done"/>
  <recv response="200" next="done"/>
"""
