"""What the doctor found."""

from __future__ import annotations

COLUMNS = ("result", "check", "detail")


def finding_row(name: str, ok: bool, detail: str) -> tuple[object, ...]:
    """One thing looked at, in a list."""
    return "ok" if ok else "failed", name, detail


def finding_json(name: str, ok: bool, detail: str, remedy: str) -> dict[str, object]:
    """The same for programs; `remedy` is what to do when it is not ok."""
    return {"name": name, "ok": ok, "detail": detail, "remedy": remedy}
