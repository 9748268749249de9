"""What is needed to judge a call, beside its record: attribution, the caller's place and the caller's earlier calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from ari_app.domain.calls.geo import Place, locate
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.market.destinations import Destination
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.routing.snapshot import Attribution, Snapshot
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.repeats import RepeatKind
from ari_app.domain.terms.settlement import conclude


@dataclass(slots=True)
class Case:
    """`snapshot`: the one that the call began with. `attribution`: None until it is known, or for an unknown number."""

    record: CallRecord
    snapshot: Snapshot
    attribution: Attribution | None = None
    place: Place = field(default_factory=Place)
    earlier: dict[RepeatKind, EarlierCall] = field(default_factory=dict)

    @property
    def market(self) -> Marketplace:
        """The marketplace that the call began with."""
        return self.snapshot.marketplace

    @property
    def whose(self) -> Attribution:
        """The attribution of a call that has one."""
        assert self.attribution is not None
        return self.attribution

    def destination(self, name: str) -> Destination:
        """A destination, as it is in the call's marketplace."""
        return self.market.destinations[name]

    def put_at(self, place: Place) -> None:
        """Sets the caller's place, as far as it is known."""
        self.place, self.record.place = place, place.record()

    def find_place(self) -> None:
        """Sets the caller's place from the record."""
        record = self.record
        self.place = locate(self.snapshot.geography, record.place.zip, record.ani, record.did)

    def conclude(self) -> list[Transfer]:
        """Completes the record with its verdict; returns the transfers to be made."""
        zone = "UTC"
        if self.attribution is not None:
            zone = self.market.advertisers[self.attribution.campaign.advertiser].timezone
        where = self.attribution, self.place, zone
        return conclude(self.record, *where, self.earlier, self.snapshot.geography)
