"""`callrace doctor`: what calls need, and what to do about what is missing."""

from __future__ import annotations

import click

from ari_app.cli.common import Failed
from ari_app.cli.output import json_option, show_json, show_table, show_title
from ari_app.cli.remedies import looked_at
from ari_app.desk import doctor as desk
from ari_app.settings import Settings
from ari_app.views.findings import COLUMNS, finding_json, finding_row


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Look for what keeps calls from being served, and tell the remedy.

    Checks the speech program, disk, passwords, database, marketplace, spool, prompts, Asterisk (version,
    modules, endpoints, sounds), the trunks, the switch and the AGI server. It repairs nothing.
    Exit code 1 when anything is wrong. A warning (valid, but probably not intended) does not count as wrong.
    """
    findings = [looked_at(finding) for finding in desk.examine(Settings.from_env())]
    if as_json:
        show_json([finding_json(f.name, f.ok, f.detail, f.remedy, f.is_doubtful) for f in findings])
    else:
        show_table(COLUMNS, [finding_row(f.name, f.ok, f.detail, f.is_doubtful) for f in findings])
    wrong = [finding for finding in findings if not finding.ok]
    unsettled = [finding for finding in findings if not finding.ok or finding.is_doubtful]
    if unsettled and not as_json:
        click.echo()
        show_title("What to do")
        show_table(("check", "remedy"), [(finding.name, finding.remedy) for finding in unsettled])
    if wrong:
        raise Failed(f"{len(wrong)} of {len(findings)} checks failed: {', '.join(f.name for f in wrong)}")
