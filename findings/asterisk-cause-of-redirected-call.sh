#!/usr/bin/env bash
# Asterisk 22.10.1 (Debian sid): the Q.850 cause of a call that ARI originates to a phone which redirects it depends on
# the kind of redirection. 302 Moved Temporarily is cause 23, "redirected to new destination"; 300 Multiple Choices,
# 301 Moved Permanently, 305 Use Proxy and 380 Alternative Service are cause 16, "normal clearing", which is also the
# cause of a call that was answered and that ARI then hung up. So the `cause` of ChannelDestroyed does not tell a phone
# that is forwarded for good from one that talked; `tech_cause`, the status of the SIP response, does.
#
# It is the same whether the variable FORWARD_CONTEXT keeps the forwarding from happening, by naming a context that is
# not there, or Asterisk looks for where the call is forwarded to in the endpoint's own context and does not find it.
#
# Seen (the same both ways):
#   asterisk 22.10.1
#   302: cause 23 (Redirected to new destination), tech_cause 302
#   300: cause 16 (Normal Clearing), tech_cause 300
#   301: cause 16 (Normal Clearing), tech_cause 301
#   305: cause 16 (Normal Clearing), tech_cause 305
#   380: cause 16 (Normal Clearing), tech_cause 380
#   486: cause 17 (User busy), tech_cause 486
#   200: cause 16 (Normal Clearing), tech_cause None
# where 486 is a busy phone, and 200 one that answered and that ARI then hung up.
#
# Fails when that is no longer so. Takes about a minute and 350 MB in a temporary folder; the calls are in a network
# namespace of their own. Needs root, mmdebstrap, unshare and ip; ARI's events are read with websocket-client 1.9.2.
set -euo pipefail
folder=$(mktemp -d)
# Processes and mounts are made in namespaces alone: they end when what made the namespaces is killed.
apart() { unshare --mount-proc --pid --fork --kill-child "$@" & wait $!; }
trap 'kill -KILL $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }' EXIT
root=$folder/root
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check websocket-client==1.9.2
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
printf '%s\n' '[default]' 'exten => nobody,1,Hangup()' >extensions.conf
cd /
cat >"$folder/see.py" <<'PYTHON'
"""Calls a phone that redirects; all that is started and mounted here ends with the namespaces."""

import json
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import websocket

ROOT = sys.argv[1]
HOST, SIP = "127.0.0.1", 5070
KEY = {"api_key": "finding:finding"}
SESSION = "v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0", "m=audio 7000 RTP/AVP 0"
CALLS = {  # the phone's status and its reason; the cause that was seen
    302: ("Moved Temporarily", 23),
    300: ("Multiple Choices", 16),
    301: ("Moved Permanently", 16),
    305: ("Use Proxy", 16),
    380: ("Alternative Service", 16),
    486: ("Busy Here", 17),
    200: ("OK", 16),  # answered, and hung up by ARI
}
NO_FORWARDING = {"FORWARD_CONTEXT": "a-context-that-is-not-there"}


def phone(sock):
    """Gives each INVITE the status that the user of its address names, and any other request 200."""
    while True:
        data, asterisk = sock.recvfrom(65535)
        first, *lines = data.decode().partition("\r\n\r\n")[0].split("\r\n")
        method, address = first.split()[:2]
        if method == "ACK":
            continue
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        status, body = 200, ""
        answer = [f"{name}: {headers[name.lower()]}" for name in ("Via", "From", "Call-ID", "CSeq")]
        answer.append("To: " + headers["to"] + ("" if "tag=" in headers["to"] else ";tag=phone"))
        if method == "INVITE":
            status = int(address.removeprefix("sip:").partition("@")[0])
            if status == 200:
                answer += [f"Contact: <sip:200@{HOST}:{SIP}>", "Content-Type: application/sdp"]
                body = "".join(line + "\r\n" for line in SESSION)
            elif status < 400:
                answer.append(f"Contact: <sip:elsewhere@{HOST}:{SIP + 1}>")
        answer.append(f"Content-Length: {len(body)}")
        status_line = f"SIP/2.0 {status} {CALLS[status][0]}"
        sock.sendto("\r\n".join([status_line, *answer, "", body]).encode(), asterisk)


def ask(method, path, body=None, **query):
    headers = {"Content-Type": "application/json"}
    address = f"http://{HOST}:8088/ari/{path}?{urlencode(KEY | query)}"
    request = Request(address, json.dumps(body).encode() if body else None, headers, method=method)
    with urlopen(request, timeout=10):
        pass


def start():
    """Asterisk, and the connection on which it tells its events."""
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
            return websocket.create_connection(
                f"ws://{HOST}:8088/ari/events?{urlencode(KEY | {'app': 'finding'})}", timeout=20
            )
        except (OSError, websocket.WebSocketException):
            if time.monotonic() > deadline:
                sys.exit("Asterisk did not start within 30 s")
            time.sleep(0.2)


def end_of_call(events, name, status, variables):
    """The ChannelDestroyed of a call to the phone; one that is answered is hung up by ARI."""
    endpoint = f"PJSIP/phone/sip:{status}@{HOST}:{SIP}"
    ask("POST", f"channels/{name}", {"variables": variables}, endpoint=endpoint, app="finding", timeout="10")
    while True:
        event = json.loads(events.recv())
        if event.get("channel", {}).get("id") != name:
            continue
        if event["type"] == "StasisStart":
            ask("DELETE", f"channels/{name}")
        elif event["type"] == "ChannelDestroyed":
            return event


sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((HOST, SIP))
threading.Thread(target=phone, args=[sock], daemon=True).start()
events = start()
is_as_found = True
for title, variables in {"forwarding is kept from happening": NO_FORWARDING, "forwarding finds nobody": {}}.items():
    print(f"{title}:")
    for status, (_, cause_seen) in CALLS.items():
        end = end_of_call(events, f"{len(variables)}-{status}", status, variables)
        cause, tech_cause = end["cause"], end.get("tech_cause")
        print(f"  {status}: cause {cause} ({end['cause_txt']}), tech_cause {tech_cause}")
        is_as_found &= cause == cause_seen and tech_cause == (None if status == 200 else status)
print("as found" if is_as_found else "NOT as found")
sys.exit(not is_as_found)
PYTHON
apart unshare --net "$folder/venv/bin/python" "$folder/see.py" "$root"
