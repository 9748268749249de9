"""Runs a campaign's IVR flow with the caller: the domain decides what to play and what to collect."""

from __future__ import annotations

from ari_app.ari.events import ChannelDtmfReceived
from ari_app.domain.calls.geo import Geography
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ivr.digits import Collector, Digit, Digits, Invalid, PromptDone, Result, TimeUp
from ari_app.domain.ivr.echoes import Echoes
from ari_app.domain.ivr.flow import Caller, End, FlowOutcome, FlowRun, Gather, Play, Played, ToOffer
from ari_app.domain.market.flows import Flow
from ari_app.switch.call import Call, is_end_of


async def run_flow(call: Call, flow: Flow, geography: Geography, timezone: str) -> FlowRun:
    """Takes the caller through the flow, to an offer or to the flow's end. Raises CallerGone.

    Each answer is in the call's record as soon as it is given. The run's last step says how the flow ended. A caller
    who was in the flow when an earlier switch died goes on from the same node, in the rest of the flow's time.
    """
    record = call.record
    run = FlowRun(flow, Caller(geography, record.did, record.ani, record.started_at, timezone))
    under_way = call.under_way
    step = run.resume(under_way.node or flow.start, record.answers, under_way.entered_zip)
    record.answers = run.answers
    _keep(call, run)
    began_at = call.now() if record.answered_at is None else record.answered_at
    until = began_at + flow.longest
    echoes = Echoes()
    while not isinstance(step, ToOffer | End):
        call.note(EventName.ASKED if isinstance(step, Gather) else EventName.ANNOUNCED, run.path[-1])
        outcome = await _perform(call, step, until, echoes)
        step = run.time_up() if outcome is None else run.handle(outcome)
        _keep(call, run)
    if isinstance(step, End):
        call.note(EventName.FLOW_ENDED, f"at {run.path[-1]}: {step.reason.replace('_', ' ')}")
        if step.prompt:
            await call.play_last(step.prompt)
    return run


async def _perform(call: Call, step: Play | Gather, until: int, echoes: Echoes) -> FlowOutcome | None:
    """Performs a step; returns its outcome, or None if it is not over by `until` (ms). Raises CallerGone."""
    if isinstance(step, Play):
        await call.play(step.prompt, until)
        return Played() if call.now() < until else None
    result = await gather(call, step, until, echoes)
    if result is not None:
        call.note(*_heard(result))
    return result


def _keep(call: Call, run: FlowRun) -> None:
    """Saves the caller's present node in the journal."""
    call.under_way.node, call.under_way.entered_zip = run.path[-1], run.entered_zip
    call.keep()


async def gather(call: Call, step: Gather, until: int, echoes: Echoes) -> Result | None:
    """Plays a prompt and collects digits; None if that is not over by `until` (ms). Raises CallerGone.

    Digits stay in the inbox in the order in which they are pressed, so a caller who knows the menu can type ahead.
    `echoes` has heard all that this caller pressed before.
    """
    collector = Collector(step.spec, step.timers, step.barge_in)
    playback_id = await call.start_playing(call.channel_id, step.prompt)
    is_playing = True
    result: Result | None = None
    while result is None:
        wanted = collector.deadline
        event = await call.event(until if wanted is None else min(wanted, until))
        match event:
            case None if call.now() >= until:
                await call.client.playbacks.stop(playback_id)
                return None
            case None:
                result = collector.handle(TimeUp(), call.now())
            case ChannelDtmfReceived(channel_id=call.channel_id, digit=digit, duration_ms=duration_ms):
                if echoes.is_echo(digit, event.at_ms, duration_ms):
                    continue
                if is_playing and step.barge_in:
                    await call.client.playbacks.stop(playback_id)
                    is_playing = False
                result = collector.handle(Digit(digit), call.now())
            case _ if is_end_of(playback_id, event):
                is_playing = False
                result = collector.handle(PromptDone(), call.now())
    return result


def _heard(result: Result) -> tuple[EventName, str]:
    match result:
        case Digits(value):
            return EventName.ENTERED, value
        case Invalid(value):
            return EventName.ENTERED_WRONGLY, value
        case _:
            return EventName.ENTERED_NOTHING, ""
