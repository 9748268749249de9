"""A marketplace built by commands alone; what they refuse; two who change it at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image
from sqlalchemy import Engine

from ari_app.access.actor import operator
from ari_app.cli.common import site
from ari_app.desk import documents
from ari_app.settings import Settings
from ari_app.store.market import marketplaces
from tests.unit.cli.conftest import MARKETPLACE, Cli, refusal

FLOW = """\
intake:
  start: zip
  nodes:
    zip: {collect: {prompt: "tts:Enter your ZIP code.", digits: 5, as: zip, check: us-zip}, next: offer}
    offer: {offer: true}
"""


def done(result: Result) -> list[str]:
    """The lines of a command that was done."""
    assert result.exit_code == 0, result.output + result.stderr
    return result.output.splitlines()


@pytest.fixture
def market(cli: Cli, applied: Engine, sounds: Path, tmp_path: Path) -> Cli:
    """MARKETPLACE is in force, and in a file."""
    (tmp_path / "market.yaml").write_text(MARKETPLACE)
    return cli


@pytest.fixture
def banner(tmp_path: Path) -> Path:
    """A banner's file."""
    path = tmp_path / "banner.png"
    Image.new("RGB", (300, 250), "red").save(path)
    return path


# From nothing to a call


def test_commands_alone_build_a_marketplace_whose_call_rings_the_agent(
    cli: Cli, settings: Settings, sounds: Path, tmp_path: Path
) -> None:
    (tmp_path / "flows.yaml").write_text(FLOW)
    for words in (
        "db upgrade",
        "marketplace init --currency USD",
        "advertisers add acme --name Acme --timezone America/New_York --billing prepaid",
        "publishers add homefix --name HomeFix",
        "destinations add agent-1 --advertiser acme --uri sip:agent-1@127.0.0.1:5071 --states NY,NJ",
        f"flows add {tmp_path}/flows.yaml",
        "campaigns create plumbing --advertiser acme --price 42.00 --payout 30.00 --flow intake --wave agent-1",
        "campaigns set plumbing qualify[0].connected_at_least=90s route.ring_timeout=20s",
        "campaigns start plumbing",
    ):
        done(cli(*words.split()))
    exported = cli("export").output.replace("numbers: {}", "")
    number = 'numbers: {"+18005550101": {campaign: plumbing, publisher: homefix}}'
    done(cli("apply", "-", input=f"{exported}\n{number}"))

    told = done(cli("route", "explain", "--did", "+18005550101", "--ani", "+12125550100", "--press", "10001"))

    at = told.index("Wave 1, at once")
    assert told[at + 1] == "  - agent-1"
    short = "campaign plumbing: the account of advertiser acme, 0.00 USD now, has room for no call"
    assert told[-2:] == ["Caps and funds", f"  - {short}: each reserves 42.00 USD."]
    assert f"warning: {short}: each reserves 42.00 USD" in done(cli("plan", "-", input=cli("export").output))
    done(cli("ledger", "deposit", "acme", "100.00", "--key", "wire-1"))
    assert not any("warning" in line for line in done(cli("plan", "-", input=cli("export").output)))


def test_a_marketplace_is_begun_once(market: Cli) -> None:
    assert (
        refusal(market("marketplace", "init"))
        == "callrace: there is a marketplace in force already; see `callrace export`"
    )


def test_what_a_command_changes_is_told_as_apply_tells_it(market: Cli) -> None:
    assert done(market("campaigns", "set", "plumbing", "price=45.00", "screen.announce=tts:No."))[:-1] == [
        "marketplace version 2 applied:",
        "  campaign plumbing changed",
        "    price: 42.00 -> 45.00",
        "    screen.announce added: tts:No.",
        "    terms: version 1 -> version 2 (new)",
        "  prompt rendered: No.",
    ]


def test_a_command_tells_what_it_changed_as_json(market: Cli) -> None:
    told = json.loads(
        "\n".join(done(market("publishers", "add", "bluebird", "--name", "Bluebird", "--json")))
    )
    assert told["version"] == 2
    assert [(change["kind"], change["name"]) for change in told["changes"]] == [("added", "bluebird")]


@pytest.mark.parametrize("part", ["advertisers", "publishers", "destinations", "flows", "campaigns"])
def test_each_noun_lists_and_shows_what_is_in_force(market: Cli, part: str) -> None:
    listed = json.loads("\n".join(done(market(part, "list", "--json"))))
    name = listed[0]["id"]
    assert json.loads("\n".join(done(market(part, "show", name, "--json")))) == listed[0]
    assert any(line.startswith(name) for line in done(market(part, "list")))
    assert done(market(part, "show", name))[0] == f"{name}:"


# What is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("campaigns set plumbing rute.wait=music", "campaigns.plumbing.rute: unknown field 'rute'; did you mean"),
        ("campaigns set plumbing price", "expected FIELD=VALUE such as price=45.00"),
        ("campaigns set roofing price=45.00", "there is no campaign roofing; see `callrace campaigns list`"),
        ("campaigns create plumbing --advertiser acme --price 1 --payout 1", "there is a campaign plumbing already"),
        ("advertisers show bolt", "there is no advertiser bolt; see `callrace advertisers list`"),
        (
            "destinations add a --advertiser acme --uri sip:a@127.0.0.1 --extension a --anywhere",
            "destinations.a.dial: expected exactly one of uri, extension or phone, got uri and extension",
        ),
        (
            "destinations add a --advertiser acme --uri sip:a@127.0.0.1&SIP/b --anywhere",
            "destinations.a.dial.uri: expected",
        ),
        ("destinations add a --advertiser acme --extension a --anywhere --capacity 0", "destinations.a.capacity: exp"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_one_line_and_changes_nothing(
    market: Cli, engine: Engine, words: str, said: str
) -> None:
    assert said in refusal(market(*words.split()))
    in_force = marketplaces.load(engine)
    assert in_force is not None
    assert in_force.version == 1


def test_what_something_else_needs_is_not_removed_and_it_is_said_by_what(market: Cli) -> None:
    result = market("flows", "remove", "intake")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "callrace: flow intake is needed by what would be left:",
        "callrace: campaigns.plumbing.flow: there is no flow 'intake'",
    ]


def test_what_nothing_needs_is_removed(market: Cli) -> None:
    done(market("publishers", "add", "bluebird", "--name", "Bluebird"))
    assert "  publisher bluebird removed" in done(market("publishers", "remove", "bluebird"))


# Life cycle


def test_a_draft_without_destinations_is_not_started(market: Cli) -> None:
    done(market("campaigns", "create", "roofing", "--advertiser", "acme", "--price", "1", "--payout", "1"))
    said = refusal(market("campaigns", "start", "roofing"))
    assert said == "callrace: campaigns.roofing.route.waves: expected at least one wave"


def test_a_campaign_that_has_ended_is_not_started_again_by_a_command_or_by_a_file(
    market: Cli, tmp_path: Path
) -> None:
    done(market("campaigns", "pause", "plumbing"))
    done(market("campaigns", "start", "plumbing"))
    done(market("campaigns", "end", "plumbing"))
    said = (
        "callrace: campaign plumbing cannot go from ended to live; "
        "it is over: begin a new campaign under another id"
    )
    assert refusal(market("campaigns", "start", "plumbing")) == said
    assert refusal(market("plan", str(tmp_path / "market.yaml"))) == said
    assert refusal(market("apply", str(tmp_path / "market.yaml"))) == said


# Two at once


def test_a_change_that_somebody_else_makes_meanwhile_is_not_lost(market: Cli, engine: Engine) -> None:
    def change(document: documents.Document) -> None:
        if "bluebird" not in document["publishers"]:
            done(market("publishers", "add", "bluebird", "--name", "Bluebird"))
        document["publishers"]["redbird"] = {"name": "Redbird"}

    done_by = documents.done(site(), operator("ada"), "publishers.add", "redbird")
    changed = documents.amend(site(), change, done_by)

    assert changed.retries == 1
    in_force = marketplaces.load(engine)
    assert in_force is not None
    assert set(in_force.marketplace.publishers) == {"homefix", "bluebird", "redbird"}


# Creatives


def _add_banner(cli: Cli, banner: Path) -> None:
    words = f"creatives add b300 --campaign plumbing --kind banner --image {banner} --size medium-rectangle"
    done(cli(*words.split()))


def test_an_approved_banner_is_exported_with_the_publishers_number(
    market: Cli, banner: Path, tmp_path: Path
) -> None:
    _add_banner(market, banner)
    done(market("creatives", "approve", "b300"))
    content = banner.read_bytes()
    banner.unlink()
    words = f"creatives export b300 --publisher homefix --source sidebar --out {tmp_path}/ads --json"
    about = json.loads("\n".join(done(market(*words.split()))))
    assert (about["number"], about["source"]) == ("+18005550101", "sidebar")
    assert json.loads((tmp_path / "ads/b300.json").read_text()) == about
    assert (tmp_path / "ads/b300.png").read_bytes() == content
    assert (tmp_path / "ads/b300.html").read_text() == (
        '<a href="tel:+18005550101"><img src="b300.png" width="300" height="250" '
        'alt="Call (800) 555-0101" title="Call (800) 555-0101"></a>\n'
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("reject b300 --reason blurred", "creative b300 is rejected; run `callrace creatives approve b300`"),
        ("approve b300", "homefix has 2 numbers for plumbing; choose one by --source: none, sidebar"),
    ],
)
def test_an_ad_is_not_exported_unapproved_or_with_a_number_that_is_not_clear(
    market: Cli, banner: Path, tmp_path: Path, words: str, said: str
) -> None:
    _add_banner(market, banner)
    done(market("creatives", *words.split()))
    out = str(tmp_path / "ads")
    assert (
        refusal(market("creatives", "export", "b300", "--publisher", "homefix", "--out", out))
        == f"callrace: {said}"
    )
    assert not (tmp_path / "ads").exists()


def test_an_ad_of_a_campaign_that_has_ended_is_not_exported(
    market: Cli, banner: Path, tmp_path: Path
) -> None:
    _add_banner(market, banner)
    done(market("creatives", "approve", "b300"))
    done(market("campaigns", "end", "plumbing"))
    words = f"creatives export b300 --publisher homefix --source sidebar --out {tmp_path}/ads"
    assert refusal(market(*words.split())) == (
        "callrace: the campaign plumbing has ended: nobody would take the calls"
    )


def test_an_ad_is_not_exported_for_a_publisher_who_has_no_number(
    market: Cli, banner: Path, tmp_path: Path
) -> None:
    _add_banner(market, banner)
    done(market("creatives", "approve", "b300"))
    done(market("publishers", "add", "bluebird", "--name", "Bluebird"))
    words = f"creatives export b300 --publisher bluebird --out {tmp_path}/ads"
    assert refusal(market(*words.split())) == (
        "callrace: bluebird has no number for plumbing; see `callrace numbers list`"
    )


def test_unsafe_html_is_refused_with_what_would_be_removed(market: Cli) -> None:
    words = ("creatives", "add", "link", "--campaign", "plumbing", "--kind", "html", "--html", "-")
    result = market(*words, input='<a href="{tel}" onclick="x()">{number}</a>')
    assert refusal(result) == (
        'callrace: creatives.link.html: not safe, or not whole: cleaning would remove onclick="x()"'
    )


def test_what_export_writes_of_creatives_plans_to_nothing_where_their_files_are_not(
    market: Cli, banner: Path
) -> None:
    _add_banner(market, banner)
    exported = market("export").output
    told = done(market("plan", "-", input=exported))
    assert told[0] == "nothing to change: marketplace version 2 says the same"


def test_another_image_in_the_same_file_is_a_change(market: Cli, banner: Path) -> None:
    _add_banner(market, banner)
    document = json.loads(market("export", "--json").output)
    del document["creatives"]["b300"]["sha256"]
    Image.new("RGB", (300, 250), "blue").save(banner)
    file = banner.parent / "market.yaml"
    file.write_text(json.dumps(document))
    assert any("sha256: " in line for line in done(market("plan", str(file))))


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_asks_callrace(cli: Cli, shell: str) -> None:
    assert f"_CALLRACE_COMPLETE={shell}_complete" in cli("completion", shell).output
