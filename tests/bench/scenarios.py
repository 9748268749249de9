"""SIPp scenarios of the callers and the agents: as little as makes a call, so that SIPp costs little.

Nobody sends audio. What Asterisk sends, the ringback, goes to one port that is never read.
"""

from __future__ import annotations

from string import Template

# A log line `what|date time epoch|number`; the number (the caller's) tells the calls apart.
_SDP = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio $media_port RTP/AVP 0
a=rtpmap:0 PCMU/8000"""


def caller(media_port: int, call_ms: int) -> str:
    """Calls field 1 of the injected line as field 0, and hangs up `call_ms` after the answer."""
    return Template(_CALLER.replace("$sdp", _SDP)).substitute(media_port=media_port, call_ms=call_ms)


def agent(media_port: int, ring_ms: int) -> str:
    """Rings for `ring_ms`, then answers and waits for the BYE; obeys a CANCEL."""
    return Template(_AGENT.replace("$sdp", _SDP)).substitute(media_port=media_port, ring_ms=ring_ms)


_CALLER = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
  <nop><action><log message="calling|[timestamp]|[field0]"/></action></nop>
  <send retrans="500"><![CDATA[
INVITE sip:[field1]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[field0]@127.0.0.1>;tag=[pid]-[call_number]
To: <sip:[field1]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

$sdp
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rrs="true" timeout="10000"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[field0]@127.0.0.1>;tag=[pid]-[call_number]
To: <sip:[field1]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Content-Length: 0

]]></send>
  <pause milliseconds="$call_ms"/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[field0]@127.0.0.1>;tag=[pid]-[call_number]
To: <sip:[field1]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Content-Length: 0

]]></send>
  <recv response="200" timeout="10000"/>
  <nop><action><log message="ended|[timestamp]|[field0]"/></action></nop>
</scenario>
"""

_AGENT = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="agent">
  <recv request="INVITE">
    <action>
      <ereg regexp="sip:([^@]+)@" search_in="hdr" header="From:" assign_to="_from,number"/>
      <ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="cseq"/>
      <ereg regexp="[^ ].*" search_in="hdr" header="Via:" assign_to="via"/>
      <log message="invited|[timestamp]|[$$number]"/>
    </action>
  </recv>
  <send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[pid]-[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Length: 0

]]></send>
  <recv request="CANCEL" timeout="$ring_ms" ontimeout="answer"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]-[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
  <send><![CDATA[
SIP/2.0 487 Request Terminated
Via: [$$via]
[last_From:]
[last_To:];tag=[pid]-[call_number]
[last_Call-ID:]
CSeq: [$$cseq] INVITE
Content-Length: 0

]]></send>
  <recv request="ACK" timeout="10000" next="done"/>

  <label id="answer"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]-[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

$sdp
]]></send>
  <recv request="CANCEL" optional="true" next="crossed"/>
  <recv request="ACK" timeout="10000"/>

  <label id="established"/>
  <recv request="BYE" timeout="20000"/>
  <send next="done"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>

  <label id="crossed"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]-[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
  <recv request="ACK" timeout="10000" next="established"/>

  <label id="done"/>
  <nop/>
  <Reference variables="_from"/>
</scenario>
"""
