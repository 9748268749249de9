"""The error for a document or file of a person that cannot be used."""

from __future__ import annotations

MAX_FINDINGS = 100
"""At most this many mistakes of one document or file are told."""


class DocumentError(Exception):
    """The document is refused; `findings` are its mistakes, a line each."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings
