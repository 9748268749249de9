"""The doctor's checks of the running programs: the switch and the AGI server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ari_app.serving import running
from ari_app.settings import Settings
from ari_app.watch.finding import Finding, Step, some


def check_switch(settings: Settings) -> Finding:
    """Checks that a switch runs and is connected to Asterisk."""
    try:
        status = running.ask(settings, "/status")
    except running.SwitchError as error:
        return Finding("switch", False, str(error), Step.START)
    if status["asterisk"] != "connected":
        return Finding("switch", False, "runs, but is not connected", f"see {running.log_file(settings)}")
    if status.get("draining"):
        detail = f"takes no new calls, and ends after the {status['calls']} under way"
        return Finding("switch", False, detail, f"wait for it, then {Step.START}")
    return Finding("switch", True, f"pid {status['pid']}, connected, {status['calls']} calls under way")


def check_saving(settings: Settings) -> Iterator[Finding]:
    """Finds why the running switch cannot save ended calls. No finding when it can, or when none runs."""
    try:
        problem = running.ask(settings, "/status").get("saving_problem")
    except running.SwitchError:
        return
    if problem:
        remedy = "nothing is lost: ended calls are in the spool, and saved when the database takes them"
        yield Finding("saving", False, problem, remedy)


def check_chores(settings: Settings) -> Iterator[Finding]:
    """Finds the chores that fail in the running switch. No finding when none runs."""
    try:
        status = running.ask(settings, "/status")
    except running.SwitchError:
        return
    if why := status.get("unreadable_marketplace"):
        detail = f"the switch goes on with marketplace {status['marketplace_version']}: {why}"
        yield Finding("switch's marketplace", False, detail, Step.HAND_OVER)
    for chore, why in status.get("failing_chores", {}).items():
        yield Finding(chore, False, f"the switch cannot: {why}", f"see {running.log_file(settings)}")


def check_agi(settings: Settings) -> Finding:
    """Checks that the AGI server, which serves calls while no switch is connected, answers."""
    where = f"127.0.0.1:{settings.agi_port}"
    why = running.why_no_agi(settings)
    if why is not None:
        detail = f"nothing answers on {where} ({why}): while no switch is connected, "
        remedy = f"{Step.START}, or {Step.START_AGI}; see CALLRACE_AGI_PORT"
        return Finding("agi", False, detail + "calls are not served", remedy)
    return Finding("agi", True, f"answers on {where}")


def check_supervision(settings: Settings) -> Iterator[Finding]:
    """Checks what the running switch sees by AMI. No finding when none runs."""
    try:
        seen = running.ask(settings, "/status").get("supervision")
    except running.SwitchError:
        return
    if seen is None:  # a switch older than this command
        return
    if seen["problem"]:
        yield Finding(
            "supervision", False, seen["problem"], "see CALLRACE_AMI_PORT, secrets/ami and manager.conf"
        )
        return
    yield Finding("supervision", True, _supervised_text(seen))
    for trunk in seen["trunks"]:
        name, contacts = f"trunk {trunk['trunk']} out", ", ".join(trunk["contacts"])
        if not trunk["up"]:
            remedy = "is the carrier's gateway up? See its contact in pjsip.conf"
            yield Finding(name, False, contacts or "Asterisk has no such endpoint", remedy)
    for server, state in seen["registrations"].items():
        if state != "Registered":
            yield Finding(f"registration {server}", False, state, "check the account's name and password")
    if overloaded := seen.get("overloaded"):
        told = some(f"{name} ({tasks} tasks)" for name, tasks in overloaded.items())
        remedy = "fewer calls, or more processors; `asterisk -rx 'core show taskprocessors'` on its machine"
        yield Finding("task processors", False, f"overloaded in the last minutes: {told}", remedy)
    if seen["stray_legs"]:
        yield Finding(
            "stray legs",
            False,
            f"{seen['stray_legs']} legs in Asterisk have lost their call",
            "they are hung up within a minute; if more come, see the switch's log",
        )


def _supervised_text(seen: dict[str, Any]) -> str:
    phones = ", ".join(f"{count} {state.lower()}" for state, count in seen["phones"].items())
    memory = seen.get("memory_bytes")
    asterisk = "" if memory is None else f", Asterisk {memory / 1e6:.0f} MB"
    return f"channels {seen['channels']}, phones: {phones or 'none'}{asterisk}"
