"""Callers: one, or many from a list of numbers at a given rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ari_app.lab.ports import free_udp_port
from ari_app.lab.sipp.call import Call
from ari_app.lab.sipp.caller_scenario import USUAL, Written, caller_scenario
from ari_app.lab.sipp.party import Party
from ari_app.lab.sipp.process import Process
from ari_app.lab.sipp.steps import Step


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a call for its caller.

    `status` is the final SIP status; `ended_by` is caller or remote; `cause` is the Q.850 cause of the BYE received,
    None if the caller hung up. Durations are in milliseconds; `talk_ms` is from answer to end.
    """

    status: int
    ended_by: str
    cause: int | None
    setup_ms: float
    talk_ms: float

    @property
    def answered(self) -> bool:
        """Whether the call was answered at all."""
        return self.status == 200


class Callers(Party):
    """Many callers: one call to `did` from each of `anis` (None: anonymous), `rate` a second, all with one plan.

    The plan of a call starts when it is answered.
    """

    def __init__(
        self, did: str, anis: Sequence[str | None], plan: Sequence[Step] = (), *,
        to: str = "127.0.0.1:5060", rate: int = 10, tone_hz: int = 400, written: Written = USUAL,
    ) -> None:  # fmt: skip
        super().__init__(f"caller of {did}", plan, tone_hz)
        self._to = to
        self._size = len(anis)
        self._rate = rate
        self._written = written
        self._injected = "\n".join(["SEQUENTIAL", *(f"{_from(ani)};{did}" for ani in anis)]) + "\n"

    def _make_process(self, media_port: int) -> Process:
        size = str(self._size)
        # -l: by default SIPp limits simultaneous calls to three seconds' worth; here all may be up at once.
        arguments = [self._to, "-m", size, "-l", size, "-r", str(self._rate)]
        scenario = caller_scenario(media_port=media_port, written=self._written)
        return Process(scenario, free_udp_port(), arguments, self._injected)

    async def outcomes(self, timeout_s: float = 60.0) -> list[Outcome]:
        """The result of each call, when the last one has ended. Raises NotSeen."""
        await self.wait_for("ended", timeout_s, nth=self._size)
        return [_outcome(call) for call in self.calls.values()]


class Caller(Callers):
    """One caller. If `ani` is None, the caller is anonymous."""

    def __init__(
        self, did: str, ani: str | None, plan: Sequence[Step] = (), *,
        to: str = "127.0.0.1:5060", tone_hz: int = 400, written: Written = USUAL,
    ) -> None:  # fmt: skip
        super().__init__(did, [ani], plan, to=to, tone_hz=tone_hz, written=written)

    async def hang_up(self) -> None:
        """Hang up now, at any stage of the call (CANCEL or BYE), and wait for the answer. Raises NotSeen.

        If the caller stopped before its BYE is sent, Asterisk could not know that the call is over.
        """
        await self.wait_for("calling")
        self.call.hang_up()
        await self.wait_for("ended")

    async def outcome(self, timeout_s: float = 60.0) -> Outcome:
        """The result of the call, when it has ended. Raises NotSeen."""
        return (await self.outcomes(timeout_s))[0]


def _from(ani: str | None) -> str:
    return f"<sip:{ani}@127.0.0.1>" if ani else '"Anonymous" <sip:anonymous@anonymous.invalid>'


def _outcome(call: Call) -> Outcome:
    started, ended = call.of("calling")[0].at, call.of("ended")[0].at
    answered = call.of("answered")
    refused = call.of("refused")
    bye = call.of("bye")
    final = answered[0].at if answered else ended
    status = 200 if answered or not refused else int(refused[0].detail["status"])
    return Outcome(
        status=status,
        ended_by="caller" if call.of("hung_up") and not bye else "remote",
        cause=bye[0].cause if bye else None,
        setup_ms=(final - started) * 1000,
        talk_ms=(ended - final) * 1000,
    )
