"""The marketplace as a whole: created, planned, applied, read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ari_app.access.actor import Actor
from ari_app.ari.errors import AriError
from ari_app.desk import checked
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.caps.outlook import Shortage, outlook
from ari_app.domain.document.applied import Applied
from ari_app.domain.document.reading import accept, parse
from ari_app.domain.document.remarks import Remark, remarks
from ari_app.domain.document.world import World
from ari_app.domain.ivr.prompts import prompts_of
from ari_app.domain.market.marketplace import Creative, Marketplace
from ari_app.media import asterisk, creatives, prompts
from ari_app.settings import Settings, SettingsError
from ari_app.store import geography
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change does: to the marketplace, to prompts (rendered or copied), and which limits let few calls through.

    `remarks`: what is valid but probably not intended. `retries`: how many times the change was restarted because
    somebody else had changed the marketplace meanwhile.
    """

    applied: Applied
    prompts: list[str]
    shortages: list[Shortage]
    remarks: list[Remark]
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A checked marketplace that can be applied. Its `file:` prompts and its images are relative to `base`."""

    marketplace: Marketplace
    base: Path


def begin(site: Site, actor: Actor, currency: str) -> Changed:
    """Puts an empty marketplace in force: only the currency is set. Raises Refused, DocumentError, StoreError."""
    if marketplaces.load(site.engine) is not None:
        raise Refused(Code.MARKETPLACE_EXISTS)
    parts = ("advertisers", "publishers", "destinations", "campaigns", "numbers")
    proposal = Proposal(accept({"currency": currency} | {part: {} for part in parts}, World()), Path())
    return put(site, proposal, _entry(site, actor, "begin", currency=currency), based_on=0)


def plan(site: Site, text: str, file: str, base: Path) -> Changed:
    """Returns what `apply` would change, and changes nothing. Raises as `apply`."""
    proposal = _read(site.settings, text, file, base)
    planned = marketplaces.plan(site.engine, proposal.marketplace, site.now())
    unready = prompts.unready(prompts_of(proposal.marketplace), base, site.settings.prompts)
    return Changed(planned, unready, _shortages(site, planned), remarks(planned.marketplace))


def apply(site: Site, actor: Actor, text: str, file: str, base: Path, based_on: int | None = None) -> Changed:
    """Puts the marketplace of a YAML text in force, all of it or nothing. `file` is its name in error messages.

    Files named in it are relative to `base`. `based_on`: only in place of this version. Raises DocumentError, Refused,
    StoreError, PromptError, CreativeError.
    """
    proposal = _read(site.settings, text, file, base)
    return put(site, proposal, _entry(site, actor, "apply", file=file), based_on=based_on)


def put(
    site: Site,
    proposal: Proposal,
    entry: Entry,
    *,
    based_on: int | None = None,
    known_prompts: frozenset[str] = frozenset(),
    known_creatives: frozenset[Creative] = frozenset(),
) -> Changed:
    """Prepares the prompts and images of a marketplace (except those already known), and puts it in force.

    Raises StoreError (MarketplaceMoved when it is `based_on` a version no more in force), PromptError, CreativeError.
    """
    marketplace, settings = proposal.marketplace, site.settings
    made = prompts.prepare(prompts_of(marketplace) - known_prompts, proposal.base, settings.prompts)
    new = {name: one for name, one in marketplace.creatives.items() if one not in known_creatives}
    creatives.copy_images(new, proposal.base, settings.creatives)
    applied = marketplaces.apply(site.engine, marketplace, site.now(), based_on=based_on, entry=entry)
    return Changed(applied, made, _shortages(site, applied), remarks(applied.marketplace))


def trunks(settings: Settings) -> list[str] | None:
    """Asterisk's PJSIP endpoints; None when Asterisk cannot be asked: then trunks are not checked."""
    try:
        endpoints = asterisk.ask(settings, lambda client: client.endpoints.list())
    except (AriError, SettingsError):
        return None
    return [endpoint["resource"] for endpoint in endpoints if endpoint["technology"] == "PJSIP"]


def _read(settings: Settings, text: str, file: str, base: Path) -> Proposal:
    """Reads the marketplace in the text, with all checks. Raises DocumentError."""
    marketplace = parse(
        checked.text(text, "text"),
        checked.text(file, "file"),
        prompts=prompts.checker(base, partial(prompts.installed_sounds, settings)),
        trunks=trunks(settings),
        images=creatives.checker(base, settings.creatives),
        geography=geography.load(settings.home),
    )
    return Proposal(creatives.pinned(marketplace, base), base)


def _shortages(site: Site, applied: Applied) -> list[Shortage]:
    return outlook(applied.marketplace, ledger.available(site.engine), site.now())


def _entry(site: Site, actor: Actor, what: str, **facts: str) -> Entry:
    return Entry(site.now(), str(actor), f"marketplaces.{what}", "marketplace", facts)
