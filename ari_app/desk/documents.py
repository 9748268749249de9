"""Changes to the marketplace in force, one at a time: the part that all nouns of its document share.

The document in force is the only source. A use case reads it, changes it and applies it, with the same checks as a
file that is applied. If somebody else applies a change meanwhile, the use case starts again from the new document, so
no change is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ari_app.access.actor import Actor
from ari_app.desk import checked, marketplaces
from ari_app.desk.inforce import in_force
from ari_app.desk.marketplaces import Changed, Proposal, trunks
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.document.mergepatch import patched
from ari_app.domain.document.reading import accept, to_document
from ari_app.domain.document.world import World
from ari_app.domain.ivr.prompts import prompts_of
from ari_app.domain.market import staging
from ari_app.domain.market.marketplace import Creative, Marketplace
from ari_app.media import creatives, prompts
from ari_app.store import geography
from ari_app.store.db.errors import MarketplaceMoved
from ari_app.store.market.marketplaces import Loaded

TRIES = 5

Document = dict[str, Any]
IsKnown = Callable[[Document], bool]
Part = Literal["advertisers", "publishers", "destinations", "campaigns", "flows", "creatives"]


def exported(site: Site) -> tuple[int, Marketplace]:
    """The version in force, and its content now: staged terms whose start has passed are in place. Raises Refused."""
    loaded = in_force(site.engine)
    return loaded.version, staging.in_force(loaded.marketplace, site.now())


def whole(site: Site) -> tuple[int, Document]:
    """The version in force, and its document now, without what is by default. Raises Refused."""
    version, marketplace = exported(site)
    return version, to_document(marketplace, defaults=False)


def listed(site: Site, part: Part) -> Document:
    """The entries of one part of the marketplace in force now, with their defaults. Raises Refused."""
    entries: Document = to_document(exported(site)[1])[part]
    return entries


def shown(site: Site, part: Part, name: str) -> Document:
    """One entry of the marketplace in force, with its defaults. Raises Refused."""
    return entry_of({part: listed(site, part)}, part, name)


def add(site: Site, actor: Actor, part: Part, name: str, entry: Document, base: Path = Path()) -> Changed:
    """Adds an entry, given as in the YAML document. Raises Refused, DocumentError, StoreError."""

    checked.word(name, "name")

    def change(document: Document) -> None:
        entries = document.setdefault(part, {})
        if name in entries:
            raise Refused(Code.EXISTS, what=_one_of(part), name=name)
        entries[name] = entry

    return amend(site, change, done(site, actor, f"{part}.add", name), base)


def edit(
    site: Site,
    actor: Actor,
    part: Part,
    name: str,
    patch: Mapping[str, Any],
    is_known: IsKnown | None = None,
    base: Path = Path(),
) -> Changed:
    """Changes fields of an entry by a JSON merge patch: null takes one away.

    `is_known` is asked of the entry as `shown` gives it, in the version that is edited: False refuses the edit, as it
    was made to an entry that is another one now. Raises Refused, DocumentError, StoreError.
    """

    def change(document: Document) -> None:
        entry = entry_of(document, part, name)
        if part == "campaigns":
            staging.fold(entry, site.now())
        document[part][name] = patched(entry, dict(patch))

    did = done(site, actor, f"{part}.edit", name, patch=dict(patch))
    return amend(site, change, did, base, _known(site, part, name, is_known))


def remove(site: Site, actor: Actor, part: Part, name: str, is_known: IsKnown | None = None) -> Changed:
    """Removes an entry; `is_known` as in `edit`. Raises Refused (also when another entry needs it), StoreError."""

    def change(document: Document) -> None:
        entry_of(document, part, name)
        del document[part][name]

    known = _known(site, part, name, is_known)
    try:
        return amend(site, change, done(site, actor, f"{part}.remove", name), known=known)
    except DocumentError as error:
        raise Refused(Code.STILL_NEEDED, what=_one_of(part), name=name, findings=str(error)) from error


def amend(
    site: Site,
    change: Callable[[Document], None],
    entry: Entry,
    base: Path = Path(),
    known: Callable[[Marketplace], None] | None = None,
) -> Changed:
    """Makes the change to the document in force, applies it, and says what changed.

    Files that the change names are relative to `base`. `known` may refuse the marketplace that is changed. Raises
    Refused, DocumentError, StoreError.
    """
    for tries in range(TRIES):
        loaded = in_force(site.engine)
        if known is not None:
            known(loaded.marketplace)
        document = to_document(loaded.marketplace, defaults=False)
        change(document)
        try:
            return replace(_put(site, document, entry, base, loaded), retries=tries)
        except MarketplaceMoved:
            if tries == TRIES - 1:
                raise
    raise AssertionError("the last try returns or raises")


def done(site: Site, actor: Actor, use_case: str, subject: str, **facts: Any) -> Entry:
    """The line in the audit log for a use case that is done."""
    return Entry(site.now(), str(actor), use_case, subject, facts)


def entry_of(document: Document, part: Part, name: str) -> Document:
    """One entry of a part of the document. Raises Refused when there is no such entry."""
    entries = document.get(part, {})
    if checked.word(name, "name") not in entries:
        raise Refused(Code.UNKNOWN, what=_one_of(part), name=name)
    entry: Document = entries[name]
    return entry


def _known(
    site: Site, part: Part, name: str, is_known: IsKnown | None
) -> Callable[[Marketplace], None] | None:
    """Refuses a marketplace in which the entry is not as it was known."""
    if is_known is None:
        return None

    def check(marketplace: Marketplace) -> None:
        document = to_document(staging.in_force(marketplace, site.now()))
        if not is_known(entry_of(document, part, name)):
            raise Refused(Code.EDITED_MEANWHILE, what=_one_of(part), name=name)

    return check


def _one_of(part: Part) -> str:
    return part.removesuffix("s")


def _put(site: Site, document: Document, entry: Entry, base: Path, loaded: Loaded) -> Changed:
    """Applies the document in place of `loaded`. Parts that did not change are not checked again."""
    settings = site.settings
    known_prompts = frozenset(prompts_of(loaded.marketplace))
    known_creatives = frozenset(loaded.marketplace.creatives.values())
    complain = prompts.checker(base, partial(prompts.installed_sounds, settings))
    complain_of_image = creatives.checker(base, settings.creatives)

    def image_complaint(creative: Creative) -> str | None:
        return None if creative in known_creatives else complain_of_image(creative)

    world = World(
        prompts=lambda prompt: None if prompt in known_prompts else complain(prompt),
        trunks=trunks(settings),
        images=image_complaint,
        geography=geography.load(settings.home),
    )
    return marketplaces.put(
        site,
        Proposal(creatives.pinned(accept(document, world), base), base),
        entry,
        based_on=loaded.version,
        known_prompts=known_prompts,
        known_creatives=known_creatives,
    )
