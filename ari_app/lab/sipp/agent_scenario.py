"""The SIPp scenario of an agent's phone."""

from __future__ import annotations

from string import Template

from ari_app.lab.sipp.scenario_parts import BYE_AT_ANY_TIME, END, REASONS, Answer, answer_sdp


def agent_scenario(
    *,
    media_port: int,
    ring_ms: int | None,
    status: int,
    ringing: int = 180,
    answer: Answer = "audio",
    moved_to: str = "",
) -> str:
    """A phone that rings for `ring_ms` (None: until cancelled), then answers (200) or refuses (`status`).

    `ringing`: the status with which it rings, 180 or 183. `answer`: what its SDP says about audio. `moved_to`: the
    address to which a 3xx response redirects.
    """
    wait = "" if ring_ms is None else f'timeout="{ring_ms}" ontimeout="final"'
    ring = "" if ring_ms == 0 else _RING  # SIPp's shortest wait takes 5 ms
    final = _ANSWER if status == 200 else _REFUSE
    return Template(_INVITED + BYE_AT_ANY_TIME + _RINGING + ring + final + _CROSSED + END).substitute(
        wait=wait,
        status=status,
        acked="established" if status == 200 else "done",
        ringing=ringing,
        sdp=answer_sdp(media_port, answer),
        final_headers=_HEADERS.replace(_OWN_CONTACT, moved_to) if moved_to else _HEADERS,
        headers=_HEADERS,
        cancel_ok=_CANCEL_OK,
        reasons=REASONS,
        after_bye=_CANCEL_OK_IF_CROSSED,
    )


# The INVITE's own headers are kept: [last_...] would be the headers of a later message.
_HEADERS = """Via: [$via]
From: [$from]
To: [$to];tag=[pid]-[call_number]
Call-ID: [call_id]
CSeq: [$cseq] INVITE
Contact: <sip:[local_ip]:[local_port]>"""

_OWN_CONTACT = "sip:[local_ip]:[local_port]"

# A CANCEL has the same headers as its INVITE, except the method, so it can be answered at any time.
_CANCEL_OK = _HEADERS.replace("INVITE", "CANCEL").join(["SIP/2.0 200 OK\n", "\nContent-Length: 0\n"])

_INVITED = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="agent">
  <recv request="INVITE" next="ringing">
    <action>
      <ereg regexp="[^ ].*" search_in="hdr" header="Via:" assign_to="via"/>
      <ereg regexp="[^ ].*" search_in="hdr" header="From:" assign_to="from"/>
      <ereg regexp="[^ ].*" search_in="hdr" header="To:" assign_to="to"/>
      <ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="cseq"/>
      <ereg regexp="sip:[^>]+" search_in="hdr" header="Contact:" assign_to="contact"/>
      <ereg regexp="m=audio ([0-9]+)" search_in="msg" assign_to="_m,port"/>
      <log message="invited|[timestamp]|[call_id]|rtp=[$$port]|from=[$$from]|to=[$$to]|contact=[$$contact]"/>
    </action>
  </recv>
  <recv request="ACK" optional="global" next="$acked"/>
  <recv request="CANCEL" optional="global" next="crossed">
    <action>
      <ereg regexp="CANCEL" search_in="hdr" header="CSeq:" assign_to="crossed"/>
      $reasons
      <log message="cancel_crossed|[timestamp]|[call_id]|q850=[$$q850]|sip=[$$sip]"/>
    </action>
  </recv>
"""

_RINGING = """
  <label id="ringing"/>
  <send><![CDATA[
SIP/2.0 $ringing Ringing
$headers
Content-Length: 0

]]></send>
"""

_RING = """
  <recv request="CANCEL" $wait>
    <action>
      $reasons
      <log message="cancelled|[timestamp]|[call_id]|q850=[$$q850]|sip=[$$sip]"/>
    </action>
  </recv>
  <send><![CDATA[
$cancel_ok
]]></send>
  <send><![CDATA[
SIP/2.0 487 Request Terminated
$headers
Content-Length: 0

]]></send>
  <recv request="ACK" next="done"/>
  <label id="final"/>
"""

_ANSWER = """
  <nop><action><log message="answered|[timestamp]|[call_id]"/></action></nop>
  <label id="final_again"/>
  <send><![CDATA[
SIP/2.0 200 OK
$headers
$sdp
]]></send>
  <recv request="ACK"/>

  <label id="established"/>
  <nop next="left" test="bye_via"/>
  <nop><action><log message="established|[timestamp]|[call_id]"/></action></nop>
  <recv request="HANGUP"><action><log message="hung_up|[timestamp]|[call_id]"/></action></recv>
  <send><![CDATA[
BYE [$$contact] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: [$$to];tag=[pid]-[call_number]
To: [$$from]
Call-ID: [call_id]
CSeq: 1 BYE
Content-Length: 0

]]></send>
  <recv response="481" optional="true" next="done"/>
  <recv response="200" next="done"/>
"""

_REFUSE = """
  <nop><action><log message="refused|[timestamp]|[call_id]|status=$status"/></action></nop>
  <label id="final_again"/>
  <send><![CDATA[
SIP/2.0 $status Refused
$final_headers
Content-Length: 0

]]></send>
  <recv request="ACK" next="done"/>
"""

# Our answer and the CANCEL crossed on the way: the answer is valid (RFC 3261, 9.2).
_CROSSED = """
  <label id="crossed"/>
  <send><![CDATA[
$cancel_ok
]]></send>
  <nop next="left" test="bye_via"/>
  <nop next="final_again"/>
"""

# After the caller's ACK and BYE, which follow at once, the crossed CANCEL may still need its answer.
_CANCEL_OK_IF_CROSSED = """
  <nop next="cancel_ok" test="crossed"/>
  <nop next="done"/>
  <label id="cancel_ok"/>
  <send><![CDATA[
$cancel_ok
]]></send>
""".replace("$cancel_ok", _CANCEL_OK)
