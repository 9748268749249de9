"""`callrace creatives`: the ads of campaigns; approved, and exported for publishers with their own number."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TextIO

import click

from ari_app.cli.common import site, text_of
from ari_app.cli.desk import add_common_commands, change, given
from ari_app.cli.output import json_option, show_json
from ari_app.desk import creatives as desk
from ari_app.desk import documents
from ari_app.desk.creatives import Ad
from ari_app.domain.market.creatives import for_people, render
from ari_app.views.creatives import ad_json


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

    Text and HTML have a place for the publisher's number: {number} is the number as people write it, {tel} is
    the link that dials it. HTML that could run code, or ask for input, is refused, with the reason.

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
    change(lambda site, actor: documents.add(site, actor, "creatives", name, entry, base), as_json)


@creatives.command()
@click.argument("name", metavar="ID")
@json_option
def approve(name: str, as_json: bool) -> None:
    """Approve the creative ID: it can be exported.

    \b
    Example:
      callrace creatives approve banner-300
    """
    change(lambda site, actor: desk.approve(site, actor, name), as_json)


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
    change(lambda site, actor: desk.reject(site, actor, name, reason), as_json)


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

    The folder gets ID.html (ID.txt for a text ad), the image of a banner, and ID.json, which has the campaign,
    the publisher, the number and the source. The link to a landing page passes `number` and `source` to the page.

    \b
    Examples:
      callrace creatives export banner-300 --publisher homefix --out ads/
      callrace creatives export banner-300 --publisher homefix --source sidebar --out ads/
    """
    ad = desk.ad(site(), name, publisher, source)
    about, files = _write(name, ad, out)
    if as_json:
        show_json(about)
        return
    click.echo(f"{name} for {publisher}, {for_people(ad.did)}, source {ad.number.source or 'none'}:")
    for file in files:
        click.echo(f"  {out / file}")


def _write(name: str, ad: Ad, out: Path) -> tuple[dict[str, object], list[str]]:
    """Writes the ad's files; returns the ad as JSON (also written as the last file), and the names of all files."""
    creative, number = ad.creative, ad.number
    out.mkdir(parents=True, exist_ok=True)
    text = f"{name}.{'txt' if creative.kind == 'text' else 'html'}"
    files = [text]
    image = None
    if ad.image is not None:
        image = f"{name}{ad.image.suffix}"
        shutil.copyfile(ad.image, out / image)
        files.append(image)
    (out / text).write_text(f"{render(creative, ad.did, number.source, image).rstrip()}\n", encoding="utf-8")
    files.append(f"{name}.json")
    about = ad_json(name, creative, ad.did, number, files)
    (out / files[-1]).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return about, files


add_common_commands(
    creatives, "creatives", "creative", "banner-300", ("campaign", "kind", "size", "status", "reason")
)
