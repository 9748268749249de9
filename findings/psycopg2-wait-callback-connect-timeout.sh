#!/usr/bin/env bash
# psycopg2-binary 2.9.13 (libpq inside): once psycopg2.extensions.set_wait_callback is set, as programs with an event
# loop or green threads do, and as psycopg2.extras.wait_select does, libpq's connect_timeout no longer holds. A server
# that takes the connection and then says nothing is given up after connect_timeout without the callback; with it,
# connect() waits for ever. No option says so: whoever sets a callback has to keep the time itself.
#
# Seen:
#   without a callback: OperationalError after 2 s (connect_timeout=2)
#   with wait_select:   still waiting after 6 s (connect_timeout=2)
#
# Fails when that is no longer so. Takes about ten seconds; talks to 127.0.0.1 alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check psycopg2-binary==2.9.13
"$folder/venv/bin/python" - <<'PYTHON'
import socket
import sys
import threading
import time

import psycopg2
import psycopg2.extensions
import psycopg2.extras

LIMIT_S, WATCHED_S = 2, 6
silent = socket.create_server(("127.0.0.1", 0))  # the kernel accepts; nobody ever answers
address = f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=x user=x connect_timeout={LIMIT_S}"


def connect() -> tuple[str, float]:
    """How it ended, and after how many seconds; it is watched for WATCHED_S."""
    ended: list[str] = []

    def attempt() -> None:
        try:
            psycopg2.connect(address)
            ended.append("connected")
        except psycopg2.OperationalError as error:
            ended.append(type(error).__name__)

    began = time.monotonic()
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(WATCHED_S)
    return (ended[0] if ended else "still waiting"), time.monotonic() - began


print("psycopg2", psycopg2.__version__.split()[0])
plain, plain_s = connect()
print(f"without a callback: {plain} after {plain_s:.0f} s (connect_timeout={LIMIT_S})")
psycopg2.extensions.set_wait_callback(psycopg2.extras.wait_select)
green, green_s = connect()
print(f"with wait_select:   {green} after {green_s:.0f} s (connect_timeout={LIMIT_S})")
sys.stdout.flush()
is_as_found = plain == "OperationalError" and plain_s < WATCHED_S - 1 and green == "still waiting"
print("as found" if is_as_found else "NOT as found")
sys.exit(not is_as_found)
PYTHON
