"""The doctor's findings, as rows and as JSON."""

from __future__ import annotations

COLUMNS = ("result", "check", "detail")


def finding_row(name: str, ok: bool, detail: str, is_doubtful: bool) -> tuple[object, ...]:
    """One finding, in a list."""
    return "warning" if is_doubtful else "ok" if ok else "failed", name, detail


def finding_json(name: str, ok: bool, detail: str, remedy: str, is_doubtful: bool) -> dict[str, object]:
    """The same for programs; `remedy` says what to do when it is not ok, or when it is a warning."""
    return {"name": name, "ok": ok, "warning": is_doubtful, "detail": detail, "remedy": remedy}
