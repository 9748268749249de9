"""The tables. They come to be by the migrations only; a test proves that both agree.

Times are milliseconds since the epoch (UTC), money is in the currency's minor unit, `*_json` is
JSON as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

from ari_app.domain.reports.rollups import (
    CALL_SUMS,
    CALLS_COUNTED_AS,
    ENDING_COUNTS,
    OFFER_SUMS,
    OFFERS_COUNTED_AS,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)

# One row. It rises with everything a running switch has to notice.
revision = Table(
    "revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("counter", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

marketplace_versions = Table(
    "marketplace_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", BigInteger, nullable=False),
    Column("document_json", Text, nullable=False),
)

# Never changed. The same content is the same version, also when it comes back.
terms = Table(
    "terms",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, nullable=False),
    Column("terms_json", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("campaign", "fingerprint"),
)

# Whose a number was, and when: from `from_at` until before `to_at`, which is null while it lasts. The one
# truth of it: `origin` is `file` (an apply) or `desk` (a command), and the versions hold no numbers.
number_assignments = Table(
    "number_assignments",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("did", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("publisher", Text, nullable=False),
    Column("source", Text),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger),
    Column("origin", Text, nullable=False, server_default="file"),
    CheckConstraint("to_at >= from_at", name="ends_after_it_begins"),
    Index("number_assignments_did_from_at", "did", "from_at"),
    Index("number_assignments_campaign_publisher", "campaign", "publisher"),
    Index("number_assignments_from_at", "from_at"),
    Index("number_assignments_to_at", "to_at"),
)
Index(
    "number_assignments_open",
    number_assignments.c.did,
    unique=True,
    sqlite_where=text("to_at IS NULL"),
    postgresql_where=text("to_at IS NULL"),
)

# Numbers that can be handed out: whichever has no open assignment and whose `available_from` has come.
inventory = Table(
    "inventory",
    metadata,
    Column("did", Text, primary_key=True),
    Column("trunk", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("region", Text),
    Column("imported_at", BigInteger, nullable=False),
    Column("available_from", BigInteger, nullable=False),
    CheckConstraint("kind IN ('local', 'tollfree')", name="kind_is_known"),
    Index("inventory_kind_region_available_from", "kind", "region", "available_from"),
)

# A publisher's request to join a campaign; what became of it is its last event.
applications = Table(
    "applications",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("campaign", Text, nullable=False),
    Column("publisher", Text, nullable=False),
    UniqueConstraint("campaign", "publisher"),
)

# Only ever added to: triggers refuse UPDATE and DELETE (see the migration).
application_events = Table(
    "application_events",
    metadata,
    Column("application_id", BigInteger, ForeignKey("applications.id"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("note", Text),
    Column("by", Text, nullable=False),
)

destination_pauses = Table(
    "destination_pauses",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
)

# Who did what: a line for each use case that changed something. Only ever added to (see the migration).
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("use_case", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("facts_json", Text, nullable=False),
    Index("audit_log_subject", "subject"),
    Index("audit_log_actor", "actor"),
)

# What others are to hear of, until they have (`store.db.outbox`).
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Index("outbox_at", "at"),
)

# Keys of programs. Only a hash of each is kept: who reads this table cannot act by it.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("party", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
)

# Requests that must not be done twice, each under the name that its sender gave it; and what came of it, once it is
# done. See `store.db.requests`.
requests = Table(
    "requests",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("answer_json", Text),
    Index("requests_at", "at"),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("did", Text, nullable=False),
    Column("ani", Text),
    Column("attestation", Text),
    Column("started_at", BigInteger, nullable=False),
    Column("campaign", Text),
    Column("advertiser", Text),
    Column("publisher", Text),
    Column("source", Text),
    Column("terms_version", Integer),
    Column("disposition", Text),
    Column("answered_at", BigInteger),
    Column("offered_at", BigInteger),
    Column("connected_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("end_source", Text),
    Column("winner", Text),
    Column("place_state", Text),
    Column("place_zip", Text),
    Column("place_timezone", Text),
    Column("place_from", Text, nullable=False),
    Column("total_ms", BigInteger, nullable=False),
    Column("ivr_ms", BigInteger, nullable=False),
    Column("wait_ms", BigInteger, nullable=False),
    Column("connected_ms", BigInteger, nullable=False),
    Column("qualified", Boolean),
    Column("waits_until", BigInteger),
    Column("converted_at", BigInteger),
    Column("conversion_told_at", BigInteger),
    Column("conversion_ref", Text),
    Column("currency", Text),
    Column("price", BigInteger),
    Column("payout", BigInteger),
    Column("charged", BigInteger),
    Column("paid", BigInteger),
    Column("reserved", BigInteger),
    Column("answers_json", Text, nullable=False),
    Column("clauses_json", Text),
    Column("parts_json", Text),
    Column("excluded_json", Text, nullable=False),
    Column("rtp_json", Text),
    Column("line_json", Text),
    Column("events_json", Text, nullable=False),
    Column("diversion_json", Text),
    Column("history_info_json", Text),
    Column("transfers_json", Text),
    Column("first_ms", BigInteger),
    Index("calls_started_at", "started_at"),
    Index("calls_did", "did"),
    Index("calls_ani_started_at", "ani", "started_at"),
    Index("calls_campaign_started_at", "campaign", "started_at"),
    Index("calls_advertiser_started_at", "advertiser", "started_at"),
    Index("calls_publisher_started_at", "publisher", "started_at"),
    Index("calls_waits_until", "waits_until"),
    Index("calls_conversion_told_at", "conversion_told_at"),
)

legs = Table(
    "legs",
    metadata,
    Column("call_id", Text, ForeignKey("calls.id"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("destination", Text, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("offered_at", BigInteger, nullable=False),
    Column("outcome", Text),
    Column("ringing_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("accepted_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("lost_by_ms", BigInteger),
    Column("hangup_cause", Integer),
    Column("failure", Text),
    Column("rtp_json", Text),
    Column("line_json", Text),
    Column("forwarded_to", Text),
)

# How long legs to a destination talked, of the calls that began in one hour, or day (UTC), see `spending`.
talked = Table(
    "talked",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("span", Text, primary_key=True),
    Column("from_at", BigInteger, primary_key=True, autoincrement=False),
    Column("talked_ms", BigInteger, nullable=False),
    CheckConstraint("span IN ('hour', 'day')", name="span_is_known"),
)

# Calls that no running switch has served, in the order in which they were saved: one is to remember their callers.
calls_of_others = Table(
    "calls_of_others",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("call_id", Text, ForeignKey("calls.id"), nullable=False),
)

# Each call's place in the order in which calls changed last; null: it changed since places were given. See
# `store.calls.changes`.
call_changes = Table(
    "call_changes",
    metadata,
    Column("call_id", Text, ForeignKey("calls.id"), primary_key=True),
    Column("place", BigInteger),
    UniqueConstraint("place"),
)
Index(
    "call_changes_without_place",
    call_changes.c.call_id,
    sqlite_where=text("place IS NULL"),
    postgresql_where=text("place IS NULL"),
)

# One row: the last place that was given.
call_places = Table(
    "call_places",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

# Of calls that were recorded. The files are named by the call; a deleted recording's row stays.
recordings = Table(
    "recordings",
    metadata,
    Column("call_id", Text, ForeignKey("calls.id"), primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("keep_until", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Index("recordings_keep_until", "keep_until"),
)

# Only ever added to: triggers refuse UPDATE and DELETE (see the migration).
transfers = Table(
    "transfers",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("call_id", Text, ForeignKey("calls.id")),
    Column("terms_version", Integer),
    Column("resolves", Text, ForeignKey("transfers.key")),
    Column("reason", Text, nullable=False),
    CheckConstraint("amount > 0", name="amount_is_positive"),
    CheckConstraint("debit <> credit", name="accounts_differ"),
    CheckConstraint("kind IN ('hold', 'post', 'void', 'deposit', 'adjust', 'payout')", name="kind_is_known"),
    Index("transfers_debit", "debit"),
    Index("transfers_credit", "credit"),
    Index("transfers_call_id", "call_id"),
    Index("transfers_at", "at"),
)
# A hold ends once, whatever the key of what ends it; a part of it may be released before.
_ENDS_A_HOLD = "kind IN ('post', 'void') AND replace(key, ':price:rest', '') = key"
Index(
    "transfers_hold_ends_once",
    transfers.c.resolves,
    unique=True,
    sqlite_where=text(_ENDS_A_HOLD),
    postgresql_where=text(_ENDS_A_HOLD),
)
# A trigger adds up the reversals of one transfer, and refuses more than it moved (see the migration).
Index(
    "transfers_taken_back",
    transfers.c.resolves,
    sqlite_where=text("kind = 'adjust'"),
    postgresql_where=text("kind = 'adjust'"),
)

# A call's disputes, one after the other, and what happens to each. Both are only ever added to. That the
# n-th of a call, and what happens n-th to it, is there once, keeps two people from deciding it twice.
disputes = Table(
    "disputes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("call_id", Text, ForeignKey("calls.id"), nullable=False),
    Column("n", Integer, nullable=False),
    UniqueConstraint("call_id", "n"),
)
dispute_events = Table(
    "dispute_events",
    metadata,
    Column("dispute_id", Integer, ForeignKey("disputes.id"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("what", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("amount", BigInteger),
    Column("clawback", BigInteger),
    CheckConstraint("what IN ('opened', 'accepted', 'rejected')", name="what_is_known"),
)

# Payout runs. A transfer that earned a publisher money, or took some back, is in one payout, once.
payout_runs = Table(
    "payout_runs",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("hold_ms", BigInteger, nullable=False),
    Column("minimum", BigInteger, nullable=False),
)
payouts = Table(
    "payouts",
    metadata,
    Column("transfer_key", Text, ForeignKey("transfers.key"), primary_key=True),
    Column("run", Text, ForeignKey("payout_runs.key"), nullable=False),
    Column("publisher", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    UniqueConstraint("run", "publisher"),
)
payout_items = Table(
    "payout_items",
    metadata,
    Column("transfer_key", Text, ForeignKey("transfers.key"), primary_key=True),
    Column("payout_key", Text, ForeignKey("payouts.transfer_key"), nullable=False),
)

# Invoices of advertisers and statements of publishers, each kind numbered from 1 without gaps, never
# changed. A transfer is on one bill, once, so a call that is written late is on the next.
bills = Table(
    "bills",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("party", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("from_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("opening", BigInteger, nullable=False),
    Column("payments", BigInteger, nullable=False),
    Column("lines_json", Text, nullable=False),
    CheckConstraint("kind IN ('invoice', 'statement')", name="kind_is_known"),
    UniqueConstraint("kind", "party", "currency", "period"),
)
bill_items = Table(
    "bill_items",
    metadata,
    Column("transfer_key", Text, ForeignKey("transfers.key"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("number", Integer, nullable=False),
    ForeignKeyConstraint(["kind", "number"], ["bills.kind", "bills.number"]),
)


# What an account's transfers add up to, kept by triggers on their insertion (see the migration), and what
# of it calls under way have reserved. So what may be spent is one row.
account_balances = Table(
    "account_balances",
    metadata,
    Column("account", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("posted", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    CheckConstraint("reserved >= 0", name="reserved_is_not_negative"),
)

# One cap in one period. `used` is what settled calls count, `reserved` what those under way may come to.
counters = Table(
    "counters",
    metadata,
    Column("key", Text, primary_key=True),
    Column("period_start", BigInteger, primary_key=True, autoincrement=False),
    Column("used", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    CheckConstraint("used >= 0", name="used_is_not_negative"),
    CheckConstraint("reserved >= 0", name="reserved_is_not_negative"),
    Index("counters_period_start", "period_start"),
)

# The caps in force that ended calls count in, see `ari_app.domain.caps.counters.Rule`.
cap_rules = Table(
    "cap_rules",
    metadata,
    Column("key", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("per", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    # False: calls of before are yet to be counted, and the cap is not in force, see `store.limits.beginning`.
    Column("is_counted", Boolean, nullable=False, server_default=true()),
    Index("cap_rules_owner", "owner"),
)

# What each call under way has reserved. It has no reference to `calls`: a call is saved when it is over.
reservations = Table(
    "reservations",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("period_start", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    CheckConstraint("amount > 0", name="amount_is_positive"),
    Index("reservations_expires_at", "expires_at"),
)

# Whoever can sign in. `email` is in lower case; a person who was removed keeps the row, for the audit log.
people = Table(
    "people",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Column("password_hash", Text),
    Column("totp_secret", Text),
    # The 30 s step of the last code that was used: none is good twice.
    Column("totp_step", BigInteger),
)

memberships = Table(
    "memberships",
    metadata,
    Column("person_id", BigInteger, ForeignKey("people.id"), primary_key=True),
    Column("party", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Index("memberships_party", "party"),
)

# Links that somebody is sent: to join a party, or to sign in once. Of the link itself only a hash is kept.
links = Table(
    "links",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("party", Text),
    Column("role", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    CheckConstraint("kind IN ('invitation', 'sign_in')", name="kind_is_known"),
    Index("links_email", "email"),
    Index("links_expires_at", "expires_at"),
)

# Who is signed in, and in which of their parties. A session that `awaits_code` is not signed in yet. `as_party`:
# whose pages an operator's person looks at.
sessions = Table(
    "sessions",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("party", Text, nullable=False),
    Column("as_party", Text),
    Column("awaits_code", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Index("sessions_person_id", "person_id"),
    Index("sessions_expires_at", "expires_at"),
    sqlite_autoincrement=True,  # the id of a session that is over is never another's
)

# Each is good once, for who has lost what makes their codes.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("person_id", BigInteger, ForeignKey("people.id"), primary_key=True),
    Column("code_hash", Text, primary_key=True),
    Column("used_at", BigInteger),
)

# `challenged_at`: of the last challenge that it answered; none is answered twice.
passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("uses", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("challenged_at", BigInteger, nullable=False),
    Index("passkeys_person_id", "person_id"),
)

# Wrong passwords and codes, by account and by address (`store.people.brake`).
failed_sign_ins = Table(
    "failed_sign_ins",
    metadata,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("failed_sign_ins_last_at", "last_at"),
)

# What the operator lets a party see, other than the table in `ari_app.access.sights` says.
sight_exceptions = Table(
    "sight_exceptions",
    metadata,
    Column("party", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("sight", Text, nullable=False),
)

# Made once by this exchange, and never shown: by it names become codes.
site_keys = Table(
    "site_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


def _rollup(
    name: str, keys: tuple[Column[Any], ...], counts: Sequence[str], sums: Sequence[str] = ()
) -> Table:
    """Counters by cell, see `ari_app.domain.reports.rollups`: counts of calls, and sums of ms and of money."""
    return Table(
        name,
        metadata,
        *keys,
        *(Column(count, Integer, nullable=False) for count in counts),
        *(Column(total, BigInteger, nullable=False) for total in sums),
    )


def _keys(*names: str) -> tuple[Column[Any], ...]:
    hour_at = Column("hour_at", BigInteger, primary_key=True, autoincrement=False)
    return (hour_at, *(Column(name, Text, primary_key=True) for name in names))


# Made of `calls`, `legs` and `transfers`, in the transaction that saves them; `callrace reports rebuild` makes
# them anew.
# The same calls are counted three times: by all that is known of a call there is nearly a row for each,
# and few reports need that.
rollup_calls = _rollup(
    "rollup_calls",
    _keys("campaign", "advertiser", "publisher", "source", "currency"),
    CALLS_COUNTED_AS,
    CALL_SUMS,
)
rollup_states = _rollup(
    "rollup_states", _keys("campaign", "advertiser", "state", "currency"), CALLS_COUNTED_AS, CALL_SUMS
)
rollup_details = _rollup(
    "rollup_details",
    _keys("campaign", "advertiser", "publisher", "source", "state", "currency"),
    CALLS_COUNTED_AS,
    CALL_SUMS,
)
rollup_offers = _rollup(
    "rollup_offers", _keys("campaign", "advertiser", "destination"), OFFERS_COUNTED_AS, OFFER_SUMS
)
rollup_endings = _rollup(
    "rollup_endings",
    (
        *_keys("campaign", "publisher", "destination"),
        Column("payable_ms", BigInteger, primary_key=True, autoincrement=False),
        Column("second", Integer, primary_key=True, autoincrement=False),
    ),
    ENDING_COUNTS,
)
