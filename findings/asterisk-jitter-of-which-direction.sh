#!/usr/bin/env bash
# Asterisk 22.10.1 (Debian sid): in ARI's `GET /channels/ID/rtp_statistics`, and in CHANNEL(rtcp,...), the two jitters
# have changed places. `txjitter`, "jitter on transmitted packets" by its description, is what Asterisk measures of the
# packets that it receives; `rxjitter`, "jitter on received packets", is what the far end reports of those that Asterisk
# sent. The scores go with them: txmes is of what is received. The losses next to them, rxploss and txploss, are where
# their names say, and so are local_maxjitter and remote_maxjitter. Whoever believes the names looks for a bad line in
# the wrong direction.
#
# Asterisk calls a phone twice. The first time each second packet of the phone comes 16 ms late and each tenth not at
# all, while the phone's RTCP says that what it hears is perfect. The second time the phone sends each packet on time,
# and its RTCP reports 50 ms of jitter and 7 lost packets. The jitter that Asterisk tells the phone by its own RTCP, of
# the packets that it received, is shown as the measure.
#
# Seen (jitters in milliseconds, whole; they and the scores differ by some from run to run):
#   asterisk 22.10.1
#   the phone's packets jitter: Asterisk's RTCP 16, txjitter 16, rxjitter 0, local_maxjitter 16, remote_maxjitter 0,
#     rxploss 20, txploss 0, rxmes 87, txmes 82
#   Asterisk's packets jitter: Asterisk's RTCP 0, txjitter 0, rxjitter 50, local_maxjitter 1, remote_maxjitter 50,
#     rxploss 0, txploss 7, rxmes 79, txmes 88
#
# Fails when that is no longer so. Takes about a minute and 350 MB in a temporary folder; the call is in a network
# namespace of its own. Needs root, mmdebstrap, unshare and ip.
set -euo pipefail
folder=$(mktemp -d)
# Processes and mounts are made in namespaces alone: they end when what made the namespaces is killed.
apart() { unshare --mount-proc --pid --fork --kill-child "$@" & wait $!; }
trap 'kill -KILL $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }' EXIT
root=$folder/root
apart mmdebstrap --quiet --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
    --include=asterisk,asterisk-modules sid "$root"
version=$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${source:Upstream-Version}' asterisk)
case $version in
    22.10.1 | 22.10.1+*) echo "asterisk ${version%%+*}" ;;
    *) echo "this finding is about Asterisk 22.10.1, but the archive now has $version" >&2; exit 1 ;;
esac
echo "127.0.0.1 localhost $(hostname)" >"$root/etc/hosts"
cd "$root/etc/asterisk"
printf '%s\n' '[general]' 'enabled=yes' 'bindaddr=127.0.0.1' 'bindport=8088' >http.conf
printf '%s\n' '[general]' 'enabled=yes' '[finding]' 'type=user' 'password=finding' >ari.conf
printf '%s\n' '[udp]' 'type=transport' 'protocol=udp' 'bind=127.0.0.1:5060' \
    '[phone]' 'type=endpoint' 'context=default' 'disallow=all' 'allow=ulaw' >pjsip.conf
printf '%s\n' '[default]' 'exten => tone,1,Milliwatt()' >extensions.conf
printf '%s\n' '[general]' 'rtcpinterval=1000' >rtp.conf
cd /
cat >"$folder/see.py" <<'PYTHON'
"""Calls a phone from Asterisk twice; all that is started and mounted here ends with the namespaces."""

import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

ROOT = sys.argv[1]
HOST, SIP, RTP = "127.0.0.1", 5070, 7000
PACKETS, FRAME_S, FRAME_UNITS, UNITS_PER_MS = 250, 0.020, 160, 8
REPORTS_EACH = 50  # packets
PHONE_SSRC = 77
SESSION = "v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0", f"m=audio {RTP} RTP/AVP 0"
NTP_OF_1970 = 2_208_988_800


def udp(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HOST, port))
    return sock


def waiting(sock):
    """The datagrams that have come."""
    while True:
        try:
            yield sock.recv(2048, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return


class Phone:
    """Answers each INVITE, sends sound and reports by RTCP, as the call at hand wants it."""

    def __init__(self):
        self.sip, self.rtp, self.rtcp = udp(SIP), udp(RTP), udp(RTP + 1)
        self.done = threading.Event()
        threading.Thread(target=self.listen, daemon=True).start()

    def expect(self, late_ms, leaves_out, reported_jitter_ms, reported_lost):
        self.late_ms, self.leaves_out = late_ms, leaves_out
        self.reported_jitter_ms, self.reported_lost = reported_jitter_ms, reported_lost
        self.told_jitter_ms = float("nan")
        self.done.clear()

    def listen(self):
        while True:
            data, asterisk = self.sip.recvfrom(65535)
            head, _, body = data.decode().partition("\r\n\r\n")
            first, *lines = head.split("\r\n")
            if first.startswith("ACK"):
                continue
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            answer = [f"{name}: {headers[name.lower()]}" for name in ("Via", "From", "Call-ID", "CSeq")]
            answer.append("To: " + headers["to"] + ("" if "tag=" in headers["to"] else ";tag=phone"))
            sdp = ""
            if first.startswith("INVITE"):
                sdp = "".join(line + "\r\n" for line in SESSION)
                answer += [f"Contact: <sip:phone@{HOST}:{SIP}>", "Content-Type: application/sdp"]
                far_port = int(re.search(r"m=audio (\d+)", body)[1])
                threading.Thread(target=self.talk, args=[far_port], daemon=True).start()
            answer.append(f"Content-Length: {len(sdp)}")
            self.sip.sendto("\r\n".join(["SIP/2.0 200 OK", *answer, "", sdp]).encode(), asterisk)

    def talk(self, far_port):
        """Five seconds of silence in u-law, and an RTCP report each second from when Asterisk is heard."""
        began = time.monotonic()
        heard = sender_report = None
        sent = 0
        for n in range(PACKETS):
            late_s = self.late_ms / 1000 if n % 2 else 0
            time.sleep(max(0, began + n * FRAME_S + late_s - time.monotonic()))
            if not (self.leaves_out and n % 10 == 5):
                header = struct.pack("!BBHII", 0x80, 0, n, n * FRAME_UNITS, PHONE_SSRC)
                self.rtp.sendto(header + b"\xff" * FRAME_UNITS, (HOST, far_port))
                sent += 1
            for packet in waiting(self.rtp):
                heard = packet[8:12], int.from_bytes(packet[2:4], "big")  # SSRC, sequence number
            for packet in waiting(self.rtcp):
                if packet[1] == 200:  # a sender report, with one block about the phone's packets
                    sender_report = packet[10:14], time.monotonic()
                    self.told_jitter_ms = int.from_bytes(packet[40:44], "big") / UNITS_PER_MS
            if heard and n % REPORTS_EACH == REPORTS_EACH - 1:
                self.rtcp.sendto(self.report(n, sent, heard, sender_report), (HOST, far_port + 1))
        self.done.set()

    def report(self, n, sent, heard, sender_report):
        """A compound RTCP packet of RFC 3550: a sender report with a block about Asterisk's packets, and a CNAME."""
        seconds, parts = divmod(time.time() + NTP_OF_1970, 1)
        about_us = int(seconds), int(parts * 2**32), n * FRAME_UNITS, sent, sent * FRAME_UNITS
        (ssrc, sequence), (last, at) = heard, sender_report or (bytes(4), time.monotonic())
        since = int((time.monotonic() - at) * 65536)
        fraction = self.reported_lost * 256 // REPORTS_EACH if n < REPORTS_EACH else 0  # all before the first
        losses = fraction << 24 | self.reported_lost
        block = ssrc + struct.pack("!III", losses, sequence, self.reported_jitter_ms * UNITS_PER_MS)
        block += last + struct.pack("!I", since)
        cname = struct.pack("!BBHIBB5sx", 0x81, 202, 3, PHONE_SSRC, 1, 5, b"phone")
        return struct.pack("!BBHIIIIII", 0x81, 200, 12, PHONE_SSRC, *about_us) + block + cname


def ask(method, path, **query):
    query["api_key"] = "finding:finding"
    request = Request(f"http://{HOST}:8088/ari/{path}?{urlencode(query)}", method=method)
    with urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or "null")


def start():
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["mount", "--bind", "/dev", f"{ROOT}/dev"],
        ["mount", "-t", "proc", "proc", f"{ROOT}/proc"],
    ):
        subprocess.run(command, check=True)
    command = ["chroot", ROOT, "asterisk", "-f", "-C", "/etc/asterisk/asterisk.conf"]
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while True:
        try:
            ask("GET", "asterisk/info")
            return
        except URLError:
            if time.monotonic() > deadline:
                sys.exit("Asterisk did not start within 30 s")
            time.sleep(0.2)


def call(name):
    """What Asterisk says at the end of a call: as ARI's statistics, and the same by CHANNEL(rtcp,...)."""
    endpoint = f"PJSIP/phone/sip:phone@{HOST}:{SIP}"
    ask("POST", f"channels/{name}", endpoint=endpoint, context="default", extension="tone", timeout=10)
    if not phone.done.wait(20):
        sys.exit("the phone was not called")
    told = ask("GET", f"channels/{name}/rtp_statistics")
    by_function = {
        field: float(ask("GET", f"channels/{name}/variable", variable=f"CHANNEL(rtcp,{field})")["value"])
        for field in ("txjitter", "rxjitter")
    }
    ask("DELETE", f"channels/{name}")
    return told, by_function


def shown(case, told, by_function):
    """Prints a call's figures, and gives them back: jitters in milliseconds."""
    jitters = "txjitter", "rxjitter", "local_maxjitter", "remote_maxjitter"
    figures = {name: told[name] * 1000 for name in jitters}
    figures |= {name: told[name] for name in ("rxploss", "txploss", "rxmes", "txmes")}
    for name, value in by_function.items():
        if abs(value * 1000 - figures[name]) > 5:  # they are read one after the other
            sys.exit(f"NOT as found: CHANNEL(rtcp,{name}) is {value}, ARI's {name} is {told[name]}")
    listed = ", ".join(f"{name} {value:.0f}" for name, value in figures.items())
    print(f"{case}: Asterisk's RTCP {phone.told_jitter_ms:.0f}, {listed}")
    return figures


start()
phone = Phone()
phone.expect(late_ms=16, leaves_out=True, reported_jitter_ms=0, reported_lost=0)
one = shown("the phone's packets jitter", *call("one"))
is_as_found = phone.told_jitter_ms > 8 and one["txjitter"] > 8 and one["local_maxjitter"] > 8
is_as_found &= one["rxjitter"] == one["remote_maxjitter"] == 0
is_as_found &= one["rxploss"] >= 10 and one["txploss"] == 0 and one["txmes"] < one["rxmes"]
phone.expect(late_ms=0, leaves_out=False, reported_jitter_ms=50, reported_lost=7)
two = shown("Asterisk's packets jitter", *call("two"))
is_as_found &= phone.told_jitter_ms < 8 and two["txjitter"] < 8
is_as_found &= two["rxjitter"] == two["remote_maxjitter"] == 50
is_as_found &= two["rxploss"] == 0 and two["txploss"] == 7 and two["rxmes"] < two["txmes"]
print("as found" if is_as_found else "NOT as found")
sys.exit(not is_as_found)
PYTHON
apart unshare --net python3 "$folder/see.py" "$root"
