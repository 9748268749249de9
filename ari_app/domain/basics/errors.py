"""What is said of something that people wrote and that cannot be used."""

from __future__ import annotations

MAX_FINDINGS = 100
"""At most so many mistakes of one document or file are told."""


class DocumentError(Exception):
    """The document is refused; `findings` are its mistakes, a line each."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings
