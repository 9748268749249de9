"""`python -m tests.chaos.repeat COMMAND`: runs a command again and again, until it is ended itself."""

from __future__ import annotations

import subprocess
import sys
import time

PAUSE_S = 0.1

while True:
    subprocess.run(("setpriv", "--pdeathsig", "KILL", *sys.argv[1:]), check=False)
    time.sleep(PAUSE_S)
