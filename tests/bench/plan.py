"""What is measured: the calls, the agents, the rates, and when a rate counts as failed."""

from __future__ import annotations

NATIVE = "native"
CALLRACE = "callrace"

DID = "+18005550101"
EXTENSION = {NATIVE: "native", CALLRACE: DID}  # what the callers dial

# How long each agent rings before answering. The first wins, the others are cancelled; they are so
# far apart that an agent answers only where the cancelling is late.
RINGS_MS = {"agent-1": 300, "agent-2": 500, "agent-3": 700, "agent-4": 900}

# From the 200 to the BYE: both sides answer the caller before they ring anybody, so the caller and
# the agent who wins talk for about a second.
CALL_MS = 1_400

RATES = (10, 20, *range(40, 241, 20))  # calls a second
FINER = 10  # where a rate fails, the one so far below it is tried too
COMPARED_RATE = 20  # the rate that the targets are about
STEP_S = 12
CALM_BUSY = 0.2  # processors that may be busy before a step begins: Asterisk, the switch, SIPp wait at 0.1
CALM_WAIT_S = 30  # and how long to wait for that at most
TRIES = 2  # of a rate that fails: somebody else's work on the machine is not a knee
MAX_FAILED = 0.01
MAX_BRIDGED_P95_MS = 200.0  # answer to bridged
MAX_INVITED_P95_MS = 500.0  # INVITE to first agent's: when it takes longer, calls pile up

# What is to be reached, at COMPARED_RATE where a rate matters.
BRIDGED_P95_RATIO = 2.0
KNEE_RATIO = 0.5
SWITCH_MS_A_CALL = 4.5
DECISION_P50_US = 200.0
RESIDENT_MB = 200.0
