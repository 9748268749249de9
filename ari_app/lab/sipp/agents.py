"""An agent's phone, and the ways it may behave."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.lab.ports import free_udp_port
from ari_app.lab.sipp.agent_scenario import agent_scenario
from ari_app.lab.sipp.party import Party
from ari_app.lab.sipp.process import Process
from ari_app.lab.sipp.scenario_parts import Answer
from ari_app.lab.sipp.steps import Step, hang_up, press, talk, talk_ms, wait_ms


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a phone does with every call: ring for `ring_ms` (None: for ever), send `status`, then do `plan`.

    `ringing`, `answer` and `moved_to`: see `agent_scenario`.
    """

    plan: tuple[Step, ...] = ()
    ring_ms: int | None = 0
    status: int = 200
    ringing: int = 180
    answer: Answer = "audio"
    moved_to: str = ""


def accepts(after_ms: int = 0, ring_ms: int = 0) -> Behaviour:
    """Answers, presses 1 `after_ms` later, and talks until the other side hangs up."""
    return Behaviour((wait_ms(after_ms), press("1"), talk()), ring_ms)


def declines(after_ms: int = 0, ring_ms: int = 0) -> Behaviour:
    """Answers and presses 2 `after_ms` later."""
    return Behaviour((wait_ms(after_ms), press("2")), ring_ms)


def presses(digits: str, after_ms: int = 0, ring_ms: int = 0) -> Behaviour:
    """Answers and presses these keys, for example a wrong one."""
    return Behaviour((wait_ms(after_ms), press(digits)), ring_ms)


def hangs_up(after_ms: int, ring_ms: int = 0, accept_ms: int = 0) -> Behaviour:
    """Accepts with 1, talks for `after_ms`, and hangs up."""
    return Behaviour((wait_ms(accept_ms), press("1"), talk_ms(after_ms), hang_up), ring_ms)


def answers(ring_ms: int = 0) -> Behaviour:
    """Answers and talks at once, without a key: for campaigns in which an answer is an acceptance."""
    return Behaviour((talk(),), ring_ms)


def answers_silently(ring_ms: int = 0) -> Behaviour:
    """A voicemail: answers and never presses a key."""
    return Behaviour((), ring_ms)


def busy(ring_ms: int = 0) -> Behaviour:
    """Rejects the call with 486 Busy Here."""
    return Behaviour((), ring_ms, status=486)


def rings_forever(ringing: int = 180) -> Behaviour:
    """Rings, and is never answered."""
    return Behaviour((), None, ringing=ringing)


def forwards(to: str, status: int = 302, ring_ms: int = 0) -> Behaviour:
    """Redirects the call to `to`, as a phone that is forwarded or has do-not-disturb."""
    return Behaviour((), ring_ms, status, moved_to=to)


def answers_oddly(answer: Answer, ring_ms: int = 0) -> Behaviour:
    """Answers in a way in which no audio can be heard."""
    return Behaviour((), ring_ms, answer=answer)


class Agent(Party):
    """A phone that can be dialled at `uri`, any number of times, also at the same time."""

    def __init__(self, name: str, behaviour: Behaviour, port: int | None = None, tone_hz: int = 800) -> None:
        super().__init__(name, behaviour.plan, tone_hz)
        self.port = port or free_udp_port()
        self.uri = f"sip:{name}@127.0.0.1:{self.port}"
        self._behaviour = behaviour

    def _make_process(self, media_port: int) -> Process:
        text = agent_scenario(
            media_port=media_port,
            ring_ms=self._behaviour.ring_ms,
            status=self._behaviour.status,
            ringing=self._behaviour.ringing,
            answer=self._behaviour.answer,
            moved_to=self._behaviour.moved_to,
        )
        return Process(text, self.port, [])
