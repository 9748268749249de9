"""Checks of a campaign's `transfer`: whom agents may transfer callers to."""

from __future__ import annotations

from collections.abc import Iterator

from ari_app.domain.basics.yamltext import Complaint, FieldPath
from ari_app.domain.document.world import World, check_name
from ari_app.domain.market.campaigns import Campaign, Follow
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.trunks import why_not


def check_transfer(
    path: FieldPath, campaign: Campaign, marketplace: Marketplace, world: World
) -> Iterator[Complaint]:
    """Complains of who cannot be reached, and of what could never be."""
    follow = campaign.transfer
    if not isinstance(follow, Follow):
        return
    for name in sorted(follow.destinations or ()):
        yield from check_name((*path, "destinations"), name, marketplace.destinations, "destination")
        destination = marketplace.destinations.get(name)
        if destination is not None and destination.advertiser != campaign.advertiser:
            whose = f"belongs to {destination.advertiser}, not to the campaign's {campaign.advertiser}"
            yield Complaint((*path, "destinations"), f"'{name}' {whose}")
    if follow.numbers and follow.trunk is None:
        yield Complaint(path, "expected a trunk to dial the numbers by")
    if follow.trunk is None:
        return
    if not follow.numbers:
        yield Complaint((*path, "trunk"), "a trunk is only for numbers")
    if world.trunks is not None:
        yield from check_name((*path, "trunk"), follow.trunk, world.trunks, "trunk")
    yield from _numbers((*path, "numbers"), follow, follow.trunk, marketplace)


def _numbers(path: FieldPath, follow: Follow, trunk: str, marketplace: Marketplace) -> Iterator[Complaint]:
    """Numbers that are written out; what a prefix has is looked at when it is asked for."""
    for index, number in enumerate(follow.numbers):
        if number.endswith("*"):
            continue
        barred = why_not(trunk, marketplace.trunks.get(trunk), number)
        if barred is not None:
            yield Complaint((*path, index), barred)
        if number in marketplace.numbers:
            message = f"{number} is a tracking number (numbers.{number}): the call would come in again"
            yield Complaint((*path, index), message)
