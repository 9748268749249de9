"""What each role may do: a row for each use case that a face may call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from ari_app.access.parties import ROLES, Party, PartyKind, Role, Viewer

Roles = tuple[Role, ...]

NOBODY: Roles = ()
ALL: Roles = ("owner", "manager", "finance", "read_only", "agent")
RUN: Roles = ("owner", "manager")
MONEY: Roles = ("owner", "finance")
BOTH: Roles = ("owner", "manager", "finance")
OWNER: Roles = ("owner",)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do it, by their party; a party sees and changes only what is its own.

    `scope` is what a program's key must have. `is_fresh`: somebody has to have proved who they are within FRESH_MS.
    """

    scope: str
    operator: Roles
    advertiser: Roles = NOBODY
    publisher: Roles = NOBODY
    agent: Roles = NOBODY
    is_fresh: bool = False

    def roles(self, kind: PartyKind) -> Roles:
        """The roles of this kind of party that may; there are no others in it."""
        allowed: Roles = getattr(self, kind)
        return tuple(role for role in ROLES[kind] if role in allowed)


DEEDS: Mapping[str, Rule] = {
    # The marketplace
    "documents.exported": Rule("marketplace:read", ALL),
    "documents.listed": Rule("marketplace:read", ALL, ALL, ALL),
    "documents.shown": Rule("marketplace:read", ALL, ALL, ALL),
    "documents.whole": Rule("marketplace:read", ALL),
    "documents.add": Rule("marketplace:write", RUN, RUN),
    "documents.edit": Rule("marketplace:write", RUN, RUN),
    "documents.remove": Rule("marketplace:write", RUN, RUN),
    "marketplaces.begin": Rule("marketplace:write", RUN),
    "marketplaces.plan": Rule("marketplace:read", RUN),
    "marketplaces.apply": Rule("marketplace:write", RUN),
    "campaigns.create": Rule("campaigns:write", RUN, RUN),
    "campaigns.set_fields": Rule("campaigns:write", RUN, RUN),
    "campaigns.become": Rule("campaigns:write", RUN, RUN),
    "flows.check": Rule("campaigns:write", RUN, RUN),
    "flows.put": Rule("campaigns:write", RUN, RUN),
    "creatives.ad": Rule("creatives:read", ALL, NOBODY, ALL),
    "creatives.approve": Rule("creatives:write", RUN),
    "creatives.reject": Rule("creatives:write", RUN),
    "destinations.move": Rule("destinations:write", RUN),
    "agents.listed": Rule("destinations:read", ALL, ALL, NOBODY, ALL),
    "agents.pause": Rule("destinations:write", RUN, RUN, NOBODY, ALL),
    "agents.resume": Rule("destinations:write", RUN, RUN, NOBODY, ALL),
    "caps.standing": Rule("caps:read", ALL, ALL, ALL),
    "route_trial.try_route": Rule("campaigns:read", ALL, ALL),
    # Applications and numbers
    "applications.submit": Rule("applications:write", RUN, NOBODY, RUN),
    "applications.approve": Rule("applications:write", RUN),
    "applications.decide": Rule("applications:write", RUN),
    "applications.listed": Rule("applications:read", ALL, ALL, ALL),
    "applications.history": Rule("applications:read", ALL, ALL, ALL),
    "numbers.listed": Rule("numbers:read", ALL, ALL, ALL),
    "numbers.history": Rule("numbers:read", ALL, NOBODY, NOBODY),
    "numbers.stock": Rule("numbers:read", ALL),
    "numbers.assign": Rule("numbers:write", RUN),
    "numbers.release": Rule("numbers:write", RUN),
    "numbers.import_": Rule("numbers:write", RUN),
    # Calls
    "calls.find": Rule("calls:read", ALL, ALL, ALL, ALL),
    "calls.whole": Rule("calls:read", ALL, ALL, ALL, ALL),
    "calls.latest": Rule("calls:read", ALL, ALL, ALL, ALL),
    "calls.changed": Rule("calls:read", ALL, ALL, ALL, ALL),
    "calls.under_way": Rule("calls:read", ALL, ALL, ALL, ALL),
    "live.view": Rule("calls:read", ALL, ALL, ALL),
    "live.sums_since": Rule("calls:read", ALL, ALL, ALL),
    "recordings.latest": Rule("recordings:read", ALL, ALL, ALL),
    "recordings.track": Rule("recordings:read", ALL, ALL, ALL),
    "recordings.delete": Rule("recordings:write", RUN),
    "recordings.expire": Rule("recordings:write", RUN),
    "conversions.post": Rule("conversions:write", BOTH, RUN),
    "conversions.import_": Rule("conversions:write", BOTH, RUN),
    "conversions.latest": Rule("conversions:read", ALL, ALL, ALL),
    "conversions.expire": Rule("conversions:write", BOTH),
    "qualify.other_terms": Rule("reports:read", ALL),
    "qualify.judge_again": Rule("reports:read", ALL),
    "reports.by": Rule("reports:read", ALL, ALL, ALL),
    "reports.forensics": Rule("reports:read", ALL, ALL),
    # Money
    "disputes.open_": Rule("disputes:write", BOTH, RUN),
    "disputes.accept": Rule("disputes:decide", MONEY, is_fresh=True),
    "disputes.reject": Rule("disputes:decide", MONEY),
    "disputes.get": Rule("disputes:read", ALL, ALL, ALL),
    "disputes.list_": Rule("disputes:read", ALL, ALL, ALL),
    "ledger.balances": Rule("ledger:read", ALL, ALL, ALL),
    "ledger.statement": Rule("ledger:read", ALL, ALL, ALL),
    "ledger.verify": Rule("ledger:read", ALL),
    "ledger.deposit": Rule("ledger:write", MONEY, is_fresh=True),
    "ledger.refund": Rule("ledger:write", MONEY, is_fresh=True),
    "ledger.adjust": Rule("ledger:write", MONEY, is_fresh=True),
    "bills.issue": Rule("bills:write", MONEY),
    "bills.draft": Rule("bills:read", ALL, ALL, ALL),
    "bills.get": Rule("bills:read", ALL, ALL, ALL),
    "bills.list_": Rule("bills:read", ALL, ALL, ALL),
    "bills.items": Rule("bills:read", ALL, ALL, ALL),
    "bills.items_of_draft": Rule("bills:read", ALL, ALL, ALL),
    "payouts.asked": Rule("payouts:read", ALL),
    "payouts.plan": Rule("payouts:read", ALL),
    "payouts.run": Rule("payouts:write", MONEY, is_fresh=True),
    "payouts.get": Rule("payouts:read", ALL, NOBODY, ALL),
    "payouts.every": Rule("payouts:read", ALL, NOBODY, ALL),
    "payouts.items": Rule("payouts:read", ALL, NOBODY, ALL),
    # People, and what is seen
    "people.listed": Rule("people:read", ALL, RUN, RUN),
    "people.invited": Rule("people:read", ALL, RUN, RUN),
    "people.invite": Rule("people:write", RUN, RUN, RUN, is_fresh=True),
    "people.add": Rule("people:write", OWNER, is_fresh=True),
    "people.remove": Rule("people:write", RUN, RUN, RUN, is_fresh=True),
    "people.sign_in_link": Rule("people:write", OWNER, is_fresh=True),
    "signin.look_as": Rule("people:look_as", RUN),
    "visibility.listed": Rule("people:read", ALL),
    "visibility.set_": Rule("people:write", RUN, is_fresh=True),
    "keys.listed": Rule("keys:read", ALL, RUN, RUN),
    "keys.create": Rule("keys:write", OWNER, RUN, RUN, is_fresh=True),
    "keys.revoke": Rule("keys:write", RUN, RUN, RUN),
    # The exchange itself
    "audit.listed": Rule("audit:read", ALL),
    "doctor.examine": Rule("site:read", ALL),
    "daily.do": Rule("site:write", RUN),
    "spool.kept": Rule("site:read", ALL),
    "spool.retry": Rule("site:write", RUN),
    "privacy.erase": Rule("privacy:write", OWNER, is_fresh=True),
    "privacy.expire": Rule("privacy:write", OWNER, is_fresh=True),
}
"""By use case: the module and function of `desk`."""

SCOPES = frozenset(rule.scope for rule in DEEDS.values())
"""What a program's key can be for."""


def may(viewer: Viewer, what: str) -> bool:
    """Whether this viewer may do this use case, with what is its party's own.

    Who looks as another party may change nothing. Raises KeyError for a use case that has no row.
    """
    rule = DEEDS[what]
    if viewer.role not in rule.roles(viewer.party.kind):
        return False
    if viewer.seen_by is not None and not is_reading(what):
        return False
    return viewer.scopes is None or rule.scope in viewer.scopes


def may_change_people(viewer: Viewer, party: Party) -> bool:
    """Whose people this viewer may invite and remove, where the role may at all: those of the own party.

    The operator's people may for advertisers, publishers and agents; for the operator's own, an owner alone.
    """
    if viewer.party.kind == "operator":
        return party.kind != "operator" or viewer.role == "owner"
    return viewer.party == party


def is_reading(what: str) -> bool:
    """Whether this use case changes nothing."""
    return DEEDS[what].scope.endswith(":read")


def who_may(what: str) -> dict[PartyKind, Roles]:
    """By kind of party, the roles that may do this use case, for documentation."""
    kinds: tuple[PartyKind, ...] = get_args(PartyKind)
    return {kind: DEEDS[what].roles(kind) for kind in kinds}
