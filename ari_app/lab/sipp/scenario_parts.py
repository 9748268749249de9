"""The common parts of both SIPp scenarios: text with `$name` for our values and `[$$name]` for SIPp's.

A scenario logs lines `event|time|call id|name=value|...`. A label is a state; the `recv` elements below it are the
messages that may come in this state. SIPp does one step a millisecond, and a message that comes between two steps ends
the call as unexpected. So every message that may come at any time is `optional="global"`. These elements stand at the
top and are jumped over, because SIPp looks for them only among the elements that it has passed. (SIPp also demands a
`recv` that is not optional after optional ones, hence NEVER.) Their answers use saved headers, never [last_...], as
another message may come before the answer is sent. SIPp sends nothing while it waits to retransmit, so only an INVITE
is retransmitted: on the loopback interface nothing is lost.
"""

from __future__ import annotations

from typing import Literal, get_args

from ari_app.lab.sipp.rtp import TELEPHONE_EVENT

Answer = Literal["audio", "no sdp", "no codec", "only keys", "port 0", "held", "inactive"]
"""What the SDP of an answer says about audio: its address; nothing; a codec that was not offered, alone or with
telephone-event; that it is rejected; that it goes nowhere (c=0.0.0.0); or that it is off (a=inactive)."""


def sdp(media_port: int) -> str:
    """The SDP of either side."""
    return _SDP.format(port=media_port, event=TELEPHONE_EVENT)


def answer_sdp(media_port: int, answer: Answer = "audio") -> str:
    """The headers and the body of a phone's answer."""
    assert answer in get_args(Answer), answer
    if answer == "no sdp":
        return "Content-Length: 0\n"
    offered, event = sdp(media_port), TELEPHONE_EVENT
    says = {
        "no codec": offered.replace(f"AVP 0 {event}", "AVP 9").replace("0 PCMU/8000", "9 G722/8000"),
        "only keys": offered.replace(f"AVP 0 {event}", f"AVP 9 {event}").replace("0 PCMU", "9 G722"),
        "port 0": offered.replace(f"audio {media_port}", "audio 0"),
        "held": offered.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0"),
        "inactive": offered.replace("sendrecv", "inactive"),
    }
    return f"Content-Type: application/sdp\nContent-Length: [len]\n\n{says.get(answer, offered)}"


_SDP = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP 0 {event}
a=rtpmap:0 PCMU/8000
a=rtpmap:{event} telephone-event/8000
a=fmtp:{event} 0-16
a=ptime:20
a=sendrecv"""

# Both Reason headers for "answered elsewhere": Q.850 cause 26, and SIP cause 200, which phones obey.
REASONS = """<ereg regexp="Q.850[ ]*;[ ]*cause=([0-9]+)" search_in="msg" assign_to="_q,q850"/>
      <ereg regexp="Reason:[ ]*SIP[ ]*;[ ]*cause=([0-9]+)" search_in="msg" assign_to="_s,sip"/>"""

BYE_AT_ANY_TIME = """
  <recv request="BYE" optional="global" next="left">
    <action>
      <ereg regexp="[^ ].*" search_in="hdr" header="Via:" assign_to="bye_via"/>
      <ereg regexp="[^ ].*" search_in="hdr" header="From:" assign_to="bye_from"/>
      <ereg regexp="[^ ].*" search_in="hdr" header="To:" assign_to="bye_to"/>
      <ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="bye_cseq"/>
      $reasons
      <log message="bye|[timestamp]|[call_id]|q850=[$$q850]|sip=[$$sip]"/>
    </action>
  </recv>
  <recv request="NEVER"/>
"""

END = """
  <label id="left"/>
  <send><![CDATA[
SIP/2.0 200 OK
Via: [$$bye_via]
From: [$$bye_from]
To: [$$bye_to]
Call-ID: [call_id]
CSeq: [$$bye_cseq] BYE
Content-Length: 0

]]></send>
$after_bye
  <label id="done"/>
  <nop><action><log message="ended|[timestamp]|[call_id]"/></action></nop>
  <Reference variables="_m,_q,_s"/>
</scenario>
"""
