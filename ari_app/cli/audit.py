"""`callrace audit`: who did what, and when."""

from __future__ import annotations

import click

from ari_app.cli.common import database
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.domain.basics.clock import iso
from ari_app.store.db import auditlog
from ari_app.views.words import second


@click.group()
def audit() -> None:
    """See who did what: each change of the marketplace, of numbers, applications and agents."""


@audit.command("list")
@click.option("--actor", metavar="NAME", help="Only what this one did.")
@click.option("--subject", metavar="ID", help="Only what was done to this: a campaign, number, agent, ...")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many."
)
@json_option
def list_(actor: str | None, subject: str | None, limit: int, as_json: bool) -> None:
    """List what was done, newest first, by whom, and with which values.

    An operator is named as CALLRACE_OPERATOR says, or else by the login's name; Callrace itself is program:callrace.

    \b
    Examples:
      callrace audit list --subject plumbing
      callrace audit list --actor ada --limit 10 --json
    """
    found = auditlog.newest(database(), limit, actor=actor, subject=subject)
    if as_json:
        show_json(
            [
                {
                    "at": iso(entry.at),
                    "actor": entry.actor,
                    "use_case": entry.use_case,
                    "subject": entry.subject,
                    "facts": entry.facts,
                }
                for entry in found
            ]
        )
    elif not found:
        click.echo("nothing was done")
    else:
        rows = [(second(e.at), e.actor, e.use_case, e.subject, _words(e.facts)) for e in found]
        show_table(("at (UTC)", "actor", "what", "to", "with"), rows)


def _words(facts: object) -> str:
    assert isinstance(facts, dict)
    return ", ".join(f"{name} {_value(value)}" for name, value in facts.items() if value not in (None, []))


def _value(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
