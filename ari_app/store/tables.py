"""The tables. They come to be by the migrations only; a test proves that both agree.

Times are milliseconds since the epoch (UTC), money is in the currency's minor unit, `*_json` is
JSON as text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
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

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("did", Text, nullable=False),
    Column("ani", Text),
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
    Column("currency", Text),
    Column("price", BigInteger),
    Column("payout", BigInteger),
    Column("charged", BigInteger),
    Column("paid", BigInteger),
    Column("answers_json", Text, nullable=False),
    Column("clauses_json", Text),
    Column("parts_json", Text),
    Column("excluded_json", Text, nullable=False),
    Column("events_json", Text, nullable=False),
    Index("calls_started_at", "started_at"),
    Index("calls_did", "did"),
    Index("calls_ani", "ani"),
    Index("calls_campaign_started_at", "campaign", "started_at"),
    Index("calls_publisher", "publisher"),
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
    CheckConstraint("kind IN ('hold', 'post', 'void', 'deposit', 'adjust')", name="kind_is_known"),
    Index("transfers_debit", "debit"),
    Index("transfers_credit", "credit"),
    Index("transfers_call_id", "call_id"),
)
# A hold ends once, whatever the key of what ends it.
Index(
    "transfers_hold_ends_once",
    transfers.c.resolves,
    unique=True,
    sqlite_where=text("kind IN ('post', 'void')"),
    postgresql_where=text("kind IN ('post', 'void')"),
)
