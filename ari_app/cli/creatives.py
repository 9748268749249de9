"""`callrace creatives`: the ads of campaigns, approved and given to publishers with their own number."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TextIO

import click

from ari_app.cli.common import Refused, database, marketplace_in_force, text_of
from ari_app.cli.desk import Document, add, add_common_commands, amend, entry_of, given
from ari_app.cli.output import json_option, show_json
from ari_app.domain.market.creatives import for_people, render
from ari_app.domain.market.marketplace import Creative, Marketplace, Number
from ari_app.media.creatives import find
from ari_app.settings import Settings


@click.group()
def creatives() -> None:
    """Add, approve, reject and export creatives: the ads of campaigns."""


@creatives.command("add")
@click.argument("name", metavar="ID")
@click.option("--campaign", metavar="ID", required=True, help="Whose ad it is.")
@click.option(
    "--kind", type=click.Choice(["banner", "text", "html", "landing"]), required=True, help="What it is."
)
@click.option(
    "--image",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A banner's file: PNG, JPEG, GIF or WebP, at most 1 MiB.",
)
@click.option("--size", metavar="WxH", help="Such as 300x250, or medium-rectangle.")
@click.option("--text", help="A text ad; a banner's alternative text; a landing page's link text.")
@click.option("--html", type=click.File("r", encoding="utf-8"), help="A file with the ad's HTML; - is stdin.")
@click.option("--address", metavar="URL", help="A landing page's address.")
@json_option
def add_(
    name: str,
    campaign: str,
    kind: str,
    image: Path | None,
    size: str | None,
    text: str | None,
    html: TextIO | None,
    address: str | None,
    as_json: bool,
) -> None:
    """Add the creative ID to a campaign, as a draft. It can be exported once it is approved.

    Text and HTML say where the publisher's number goes: {number} is the number as people write it, {tel}
    the link that dials it. HTML that could run anything, or ask for input, is refused, naming what.

    \b
    Examples:
      callrace creatives add banner-300 --campaign plumbing --kind banner --image banner.png --size 300x250
      callrace creatives add sms --campaign plumbing --kind text --text "Burst pipe? Call {number}"
      echo '<a href="{tel}">{number}</a>' | callrace creatives add link --campaign plumbing --kind html --html -
    """
    entry = given(
        campaign=campaign,
        kind=kind,
        image=image and image.name,
        size=size,
        text=text,
        html=html and text_of(html),
        address=address,
    )
    base = image.parent if image else Path()
    amend(lambda document: add(document, "creatives", "creative", name, entry), as_json, base)


@creatives.command()
@click.argument("name", metavar="ID")
@json_option
def approve(name: str, as_json: bool) -> None:
    """Approve the creative ID: it can be exported.

    \b
    Example:
      callrace creatives approve banner-300
    """

    def change(document: Document) -> None:
        entry = entry_of(document, "creatives", "creative", name)
        entry["status"] = "approved"
        entry.pop("reason", None)

    amend(change, as_json)


@creatives.command()
@click.argument("name", metavar="ID")
@click.option("--reason", required=True, help="Why; kept with the creative.")
@json_option
def reject(name: str, reason: str, as_json: bool) -> None:
    """Reject the creative ID: it cannot be exported (any more).

    \b
    Example:
      callrace creatives reject banner-300 --reason "says free, which it is not"
    """

    def change(document: Document) -> None:
        entry_of(document, "creatives", "creative", name).update(status="rejected", reason=reason)

    amend(change, as_json)


@creatives.command()
@click.argument("name", metavar="ID")
@click.option("--publisher", metavar="ID", required=True, help="Who runs the ad.")
@click.option("--source", help="On which placement: the source of one of the publisher's numbers.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder to fill."
)
@json_option
def export(name: str, publisher: str, source: str | None, out: Path, as_json: bool) -> None:
    """Write the approved creative ID with the publisher's own tracking number in it.

    The folder gets ID.html (ID.txt of a text ad), a banner's image beside it, and ID.json, which says whose
    ad it is, with which number and source. A landing page's link tells the page `number` and `source`.

    \b
    Examples:
      callrace creatives export banner-300 --publisher homefix --out ads/
      callrace creatives export banner-300 --publisher homefix --source sidebar --out ads/
    """
    marketplace = marketplace_in_force(database()).marketplace
    creative = marketplace.creatives.get(name)
    if creative is None:
        raise Refused(f"there is no creative {name}; see `callrace creatives list`")
    if creative.status != "approved":
        raise Refused(f"creative {name} is {creative.status}; run `callrace creatives approve {name}`")
    if marketplace.campaigns[creative.campaign].status == "ended":
        raise Refused(f"the campaign {creative.campaign} has ended: nobody would take the calls")
    did, number = _number(marketplace, creative.campaign, publisher, source)
    about = _write(name, creative, did, number, out)
    if as_json:
        show_json(about)
        return
    click.echo(f"{name} for {publisher}, {for_people(did)}, source {number.source or 'none'}:")
    for file in about["files"]:
        click.echo(f"  {out / file}")


def _number(
    marketplace: Marketplace, campaign: str, publisher: str, source: str | None
) -> tuple[str, Number]:
    """The publisher's number for the campaign. Raises Refused when there is none, or when it could be several."""
    if publisher not in marketplace.publishers:
        raise Refused(f"there is no publisher {publisher}; see `callrace publishers list`")
    found = [
        (did, number)
        for did, number in sorted(marketplace.numbers.items())
        if (number.campaign, number.publisher) == (campaign, publisher) and source in (None, number.source)
    ]
    where = f" with source {source}" if source else ""
    if not found:
        raise Refused(f"{publisher} has no number for {campaign}{where}; see `callrace numbers list`")
    if len({number.source for _, number in found}) > 1:
        sources = ", ".join(sorted(number.source or "none" for _, number in found))
        raise Refused(
            f"{publisher} has {len(found)} numbers for {campaign}; choose one by --source: {sources}"
        )
    return found[0]


def _write(name: str, creative: Creative, did: str, number: Number, out: Path) -> Document:
    """Writes the ad's files; what the ad is, for its last one and for --json."""
    out.mkdir(parents=True, exist_ok=True)
    ad = f"{name}.{'txt' if creative.kind == 'text' else 'html'}"
    files = [ad]
    image = None
    if creative.sha256 is not None:
        kept = find(Settings.from_env().creatives, creative.sha256)
        if kept is None:
            raise Refused(
                f"the image of {name} is not kept on this machine; apply its marketplace here again"
            )
        image = f"{name}{kept.suffix}"
        shutil.copyfile(kept, out / image)
        files.append(image)
    (out / ad).write_text(f"{render(creative, did, number.source, image).rstrip()}\n", encoding="utf-8")
    about: Document = {
        "creative": name,
        "campaign": creative.campaign,
        "kind": creative.kind,
        "size": creative.size,
        "publisher": number.publisher,
        "source": number.source,
        "number": did,
        "number_text": for_people(did),
        "tel": f"tel:{did}",
        "files": [*files, f"{name}.json"],
    }
    (out / f"{name}.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return about


add_common_commands(
    creatives, "creatives", "creative", "banner-300", ("campaign", "kind", "size", "status", "reason")
)
