"""The first tables: the marketplace, calls and their legs, the ledger."""

import sqlalchemy as sa
from alembic import op

# Tables whose rows are only ever added; the database itself refuses the rest.
NEVER_CHANGED = ("transfers", "terms")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("ani", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("advertiser", sa.Text(), nullable=True),
        sa.Column("publisher", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("terms_version", sa.Integer(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("offered_at", sa.BigInteger(), nullable=True),
        sa.Column("connected_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("end_source", sa.Text(), nullable=True),
        sa.Column("winner", sa.Text(), nullable=True),
        sa.Column("place_state", sa.Text(), nullable=True),
        sa.Column("place_zip", sa.Text(), nullable=True),
        sa.Column("place_timezone", sa.Text(), nullable=True),
        sa.Column("place_from", sa.Text(), nullable=False),
        sa.Column("total_ms", sa.BigInteger(), nullable=False),
        sa.Column("ivr_ms", sa.BigInteger(), nullable=False),
        sa.Column("wait_ms", sa.BigInteger(), nullable=False),
        sa.Column("connected_ms", sa.BigInteger(), nullable=False),
        sa.Column("qualified", sa.Boolean(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("payout", sa.BigInteger(), nullable=True),
        sa.Column("charged", sa.BigInteger(), nullable=True),
        sa.Column("paid", sa.BigInteger(), nullable=True),
        sa.Column("answers_json", sa.Text(), nullable=False),
        sa.Column("clauses_json", sa.Text(), nullable=True),
        sa.Column("excluded_json", sa.Text(), nullable=False),
        sa.Column("events_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("calls_pk")),
    )
    op.create_index("calls_ani", "calls", ["ani"], unique=False)
    op.create_index("calls_campaign_started_at", "calls", ["campaign", "started_at"], unique=False)
    op.create_index("calls_did", "calls", ["did"], unique=False)
    op.create_index("calls_publisher", "calls", ["publisher"], unique=False)
    op.create_index("calls_started_at", "calls", ["started_at"], unique=False)
    op.create_table(
        "destination_pauses",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("destination", name=op.f("destination_pauses_pk")),
    )
    op.create_table(
        "marketplace_versions",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.Column("document_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("marketplace_versions_pk")),
    )
    op.create_table(
        "number_assignments",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("to_at >= from_at", name=op.f("number_assignments_ends_after_it_begins")),
        sa.PrimaryKeyConstraint("id", name=op.f("number_assignments_pk")),
    )
    op.create_index("number_assignments_did_from_at", "number_assignments", ["did", "from_at"], unique=False)
    op.create_index(
        "number_assignments_open",
        "number_assignments",
        ["did"],
        unique=True,
        sqlite_where=sa.text("to_at IS NULL"),
        postgresql_where=sa.text("to_at IS NULL"),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("revision_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("revision_pk")),
    )
    op.create_table(
        "terms",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("terms_json", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "version", name=op.f("terms_pk")),
        sa.UniqueConstraint("campaign", "fingerprint", name=op.f("terms_campaign_fingerprint_key")),
    )
    op.create_table(
        "legs",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("offered_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("ringing_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("lost_by_ms", sa.BigInteger(), nullable=True),
        sa.Column("hangup_cause", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("legs_call_id_fk")),
        sa.PrimaryKeyConstraint("call_id", "n", name=op.f("legs_pk")),
    )
    op.create_table(
        "transfers",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("terms_version", sa.Integer(), nullable=True),
        sa.Column("resolves", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('hold', 'post', 'void', 'deposit', 'adjust')", name=op.f("transfers_kind_is_known")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("transfers_amount_is_positive")),
        sa.CheckConstraint("debit <> credit", name=op.f("transfers_accounts_differ")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("transfers_call_id_fk")),
        sa.ForeignKeyConstraint(["resolves"], ["transfers.key"], name=op.f("transfers_resolves_fk")),
        sa.PrimaryKeyConstraint("seq", name=op.f("transfers_pk")),
        sa.UniqueConstraint("key", name=op.f("transfers_key_key")),
    )
    op.create_index("transfers_call_id", "transfers", ["call_id"], unique=False)
    op.create_index("transfers_credit", "transfers", ["credit"], unique=False)
    op.create_index("transfers_debit", "transfers", ["debit"], unique=False)
    op.create_index(
        "transfers_hold_ends_once",
        "transfers",
        ["resolves"],
        unique=True,
        sqlite_where=sa.text("kind IN ('post', 'void')"),
        postgresql_where=sa.text("kind IN ('post', 'void')"),
    )
    op.execute("INSERT INTO revision (id, counter) VALUES (1, 0)")
    for table in NEVER_CHANGED:
        _refuse_changes(table)


def _refuse_changes(table: str) -> None:
    """Triggers that refuse UPDATE and DELETE, and in PostgreSQL also TRUNCATE."""
    message = f"the rows of {table} are never changed: correct them by adding new ones"
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse_change()"
    )
