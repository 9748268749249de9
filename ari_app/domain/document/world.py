"""What a marketplace is checked against, and the complaints that several checks make."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from ari_app.domain.basics.yamltext import Complaint, FieldPath
from ari_app.domain.calls.geo import Geography, area_of
from ari_app.domain.market.destinations import Coverage
from ari_app.domain.market.marketplace import Creative

_MOST_TO_COMPARE = 500


@dataclass(frozen=True, slots=True)
class World:
    """What a marketplace is checked against; a field that is None is not checked.

    `prompts`: returns a complaint about a prompt that cannot be played, or None. `trunks`: those that exist. `images`:
    returns a complaint about a creative's image, or None. `geography`: the tables with the ZIP codes; the
    marketplace's own are laid over them.
    """

    prompts: Callable[[str], str | None] | None = None
    trunks: Collection[str] | None = None
    images: Callable[[Creative], str | None] | None = None
    geography: Geography | None = None


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`; did you mean 'price'?`, or an empty text; also empty if there are too many names to compare."""
    close = get_close_matches(word, known, n=1) if len(known) <= _MOST_TO_COMPARE else []
    return f"; did you mean '{close[0]}'?" if close else ""


def check_name(path: FieldPath, name: str, known: Collection[str], what: str) -> Iterator[Complaint]:
    """Complains of a name that is not known, and says which known name is nearest."""
    if name not in known:
        yield Complaint(path, f"there is no {what} '{name}'{did_you_mean(name, known)}")


def check_coverage(path: FieldPath, coverage: Coverage, world: World) -> Iterator[Complaint]:
    """Complains of ZIP codes that do not exist, and of fields that contradict each other."""
    places = [name for name in ("states", "zips", "area_codes", "zip") if getattr(coverage, name)]
    if coverage.anywhere and places:
        yield Complaint(path, f"expected only anywhere, got {listed(places)} as well")
    if not coverage.anywhere and not places and coverage.radius_miles is None:
        yield Complaint(
            path, "expected states, zips, area_codes, a zip with radius_miles, or anywhere: true; got nothing"
        )
    if (coverage.zip is None) != (coverage.radius_miles is None):
        yield Complaint(path, "expected zip and radius_miles together, got one of them")
    if world.geography is not None:
        yield from _known_zips(path, coverage, world.geography)


def _known_zips(path: FieldPath, coverage: Coverage, geography: Geography) -> Iterator[Complaint]:
    unknown = sorted(coverage.zips - geography.zips.keys())
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        yield Complaint((*path, "zips"), f"there is no ZIP code {', '.join(unknown[:3])}{more}")
    try:
        area_of(coverage, geography)
    except ValueError as error:
        yield Complaint((*path, "zip"), str(error))


def check_prompt(path: FieldPath, prompt: str | None, world: World) -> Iterator[Complaint]:
    """Complains of a prompt that cannot be played."""
    complaint = world.prompts(prompt) if prompt is not None and world.prompts is not None else None
    if complaint is not None:
        yield Complaint(path, complaint)


def listed(names: list[str]) -> str:
    """Names in a row; "none" for none."""
    return " and ".join(names) or "none"
