"""What is decided between two applies, of numbers and applications: one transaction that waits its turn.

It takes turns with every other change of the marketplace, so a publisher's limit and the stock hold whoever else is at
work; and it makes a running switch load anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from ari_app.access.actor import Actor
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.market.marketplace import Marketplace
from ari_app.store.db import auditlog, revision
from ari_app.store.db.engine import writing
from ari_app.store.market import marketplaces, numbers


@dataclass(frozen=True, slots=True)
class Change:
    """A change that is being made: the rules in force, and its moment (ms), which is after all before it.

    The rules are without numbers and destinations.
    """

    connection: Connection
    rules: Marketplace
    at: int
    actor: Actor

    def note(self, use_case: str, subject: str, **facts: object) -> None:
        """Puts it into the audit log."""
        auditlog.note(self.connection, Entry(self.at, str(self.actor), use_case, subject, facts))

    def require(self, campaign: str, publisher: str) -> None:
        """Raises Refused when the marketplace in force lacks one of them."""
        for what, name, known in (
            ("campaign", campaign, self.rules.campaigns),
            ("publisher", publisher, self.rules.publishers),
        ):
            if name not in known:
                raise Refused(Code.NOT_IN_FORCE, what=what, name=name)


@contextmanager
def changing(site: Site, actor: Actor) -> Iterator[Change]:
    """A change that is made at the end, all of it or nothing. Raises Refused, StoreError."""
    now = site.now()
    with writing(site.engine) as connection:
        revision.lock(connection)
        found = marketplaces.rules_in(connection)
        if found is None:
            raise Refused(Code.NO_MARKETPLACE)
        rules, since = found
        yield Change(connection, rules, max(now, since, numbers.latest_in(connection)), actor)
        revision.rise(connection)
