"""A change of numbers or applications, made outside the YAML document, in one transaction.

Only one change of the marketplace is made at a time; the others wait. So a publisher's limit and the stock of numbers
hold, whoever else is at work. After the change a running switch reloads the marketplace.
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
    """A change in progress: the rules in force, and its time (ms), which is later than that of every earlier change.

    The rules are loaded without numbers and destinations.
    """

    connection: Connection
    rules: Marketplace
    at: int
    actor: Actor

    def note(self, use_case: str, subject: str, **facts: object) -> None:
        """Adds a line to the audit log."""
        auditlog.note(self.connection, Entry(self.at, str(self.actor), use_case, subject, facts))

    def require(self, campaign: str, publisher: str) -> None:
        """Raises Refused when the campaign or the publisher is not in the marketplace in force."""
        for what, name, known in (
            ("campaign", campaign, self.rules.campaigns),
            ("publisher", publisher, self.rules.publishers),
        ):
            if name not in known:
                raise Refused(Code.NOT_IN_FORCE, what=what, name=name)


@contextmanager
def changing(site: Site, actor: Actor) -> Iterator[Change]:
    """A change that is committed when the block ends, all of it or nothing. Raises Refused, StoreError."""
    now = site.now()
    with writing(site.engine) as connection:
        revision.lock(connection)
        found = marketplaces.rules_in(connection)
        if found is None:
            raise Refused(Code.NO_MARKETPLACE)
        rules, since = found
        yield Change(connection, rules, max(now, since, numbers.latest_in(connection)), actor)
        revision.rise(connection)
