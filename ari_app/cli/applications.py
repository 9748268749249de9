"""`callrace applications`: publishers' applications to campaigns, and their decisions."""

from __future__ import annotations

from typing import Any

import click

from ari_app.cli.common import acting, one_line, owned_id, site
from ari_app.cli.numbers import wanted, wanted_options
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.cli.remedies import told
from ari_app.desk import applications as desk
from ari_app.domain.numbers.applications import Application
from ari_app.views.applications import COLUMNS, STEP_COLUMNS, application_json, step_json
from ari_app.views.sections import listed

_reason = click.option(
    "--reason", metavar="TEXT", callback=one_line, required=True, help="Why; kept with the application."
)


@click.group()
def applications() -> None:
    """Publishers' applications to campaigns: submit, approve, decline, suspend, reinstate."""


@applications.command()
@click.option("--campaign", metavar="ID", required=True, callback=owned_id, help="The campaign to join.")
@click.option("--publisher", metavar="ID", required=True, callback=owned_id, help="Who asks.")
@click.option("--note", metavar="TEXT", callback=one_line, help="What the publisher says to it.")
@json_option
def submit(campaign: str, publisher: str, note: str | None, as_json: bool) -> None:
    """Apply to a campaign for a publisher. It may apply again after it was declined.

    A campaign with `applications: {auto_approve: true}` approves it at once, with one number of any kind.
    When no number is free, the application waits for `approve`.

    \b
    Example:
      callrace applications submit --campaign plumbing --publisher homefix --note "radio in Albany"
    """
    done = desk.submit(site(), acting(), campaign=campaign, publisher=publisher, note=note)
    _show(done.application, as_json, done.dids)
    if done.not_approved is not None:
        click.echo(f"not approved by itself: {told(done.not_approved)}", err=True)


@applications.command("list")
@click.option("--campaign", metavar="ID", help="Only to this campaign.")
@click.option("--publisher", metavar="ID", help="Only of this publisher.")
@click.option(
    "--state", type=click.Choice(["pending", "approved", "declined", "suspended"]), help="Only these."
)
@json_option
def list_(campaign: str | None, publisher: str | None, state: Any, as_json: bool) -> None:
    """List the applications, each with its last step and the reason.

    \b
    Example:
      callrace applications list --state pending
    """
    found = desk.listed(site(), campaign=campaign, publisher=publisher, state=state)
    if as_json:
        show_json([application_json(one) for one in found])
    elif not found:
        click.echo("no applications")
    else:
        show_table(*listed(COLUMNS, map(application_json, found)))


@applications.command()
@click.argument("id", type=int)
@json_option
def show(id: int, as_json: bool) -> None:
    """List all that happened to the application ID, oldest first.

    \b
    Example:
      callrace applications show 1
    """
    rows = [step_json(step) for step in desk.history(site(), id)]
    if as_json:
        show_json(rows)
    else:
        show_table(*listed(STEP_COLUMNS, rows))


@applications.command()
@click.argument("id", type=int)
@click.option(
    "--numbers",
    "count",
    type=click.IntRange(0, 1_000),
    default=1,
    show_default=True,
    help="How many to give.",
)
@wanted_options
@click.option(
    "--source", metavar="TEXT", callback=one_line, help="The placement that the numbers are shown on."
)
@click.option("--note", metavar="TEXT", callback=one_line, help="Kept with the application.")
@json_option
def approve(
    id: int,
    count: int,
    state: str | None,
    kind: str | None,
    source: str | None,
    note: str | None,
    as_json: bool,
) -> None:
    """Approve the application ID and assign numbers to the publisher: all of this, or nothing.

    No publisher gets more than the campaign's applications.numbers_per_publisher.

    \b
    Example:
      callrace applications approve 1 --numbers 2 --state NY --source radio
    """
    asked = wanted(state, kind)
    application, dids = desk.approve(
        site(), acting(), id, count=count, wanted=asked, source=source, note=note
    )
    _show(application, as_json, dids)


@applications.command()
@click.argument("id", type=int)
@_reason
@json_option
def decline(id: int, reason: str, as_json: bool) -> None:
    """Decline the application ID. The publisher may apply again.

    \b
    Example:
      callrace applications decline 1 --reason "no licence for this state"
    """
    _decide(id, "decline", reason, as_json)


@applications.command()
@click.argument("id", type=int)
@_reason
@json_option
def suspend(id: int, reason: str, as_json: bool) -> None:
    """Suspend the publisher of the application ID from its campaign, within 2 s.

    The publisher keeps its numbers, but their callers hear that the campaign is closed, and each call's
    record says why. A call under way goes on.

    \b
    Example:
      callrace applications suspend 1 --reason "bought traffic"
    """
    _decide(id, "suspend", reason, as_json)


@applications.command()
@click.argument("id", type=int)
@click.option("--reason", metavar="TEXT", callback=one_line, help="Why; kept with the application.")
@json_option
def reinstate(id: int, reason: str | None, as_json: bool) -> None:
    """End the suspension of the application ID: the calls of its numbers are taken again.

    \b
    Example:
      callrace applications reinstate 1
    """
    _decide(id, "reinstate", reason, as_json)


def _decide(id: int, event: desk.Decision, reason: str | None, as_json: bool) -> None:
    _show(desk.decide(site(), acting(), id, event, reason), as_json)


def _show(application: Application, as_json: bool, dids: list[str] | None = None) -> None:
    if as_json:
        show_json(application_json(application) | ({} if dids is None else {"numbers": dids}))
        return
    given = f", with {', '.join(dids)}" if dids else ""
    about = f"{application.publisher} for {application.campaign}"
    click.echo(f"application {application.id} ({about}) is {application.state}{given}")
