"""Billing: partial adjustments, disputes, payout runs, invoices and statements."""

import sqlalchemy as sa
from alembic import op

# Tables whose rows are only ever added; the database itself refuses the rest.
NEVER_CHANGED = (
    "disputes",
    "dispute_events",
    "payout_runs",
    "payouts",
    "payout_items",
    "bills",
    "bill_items",
)
KINDS = "'hold', 'post', 'void', 'deposit', 'adjust'"
TOO_MUCH = "no more is taken back than was moved"

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        _allow_payouts_in_sqlite()
    else:
        _allow_payouts_in_postgresql()
    op.create_index(
        "transfers_taken_back",
        "transfers",
        ["resolves"],
        sqlite_where=sa.text("kind = 'adjust'"),
        postgresql_where=sa.text("kind = 'adjust'"),
    )
    if is_sqlite:
        _refuse_excess_in_sqlite()
    else:
        _refuse_excess_in_postgresql()
    _create_disputes()
    _create_payouts()
    _create_bills()
    for table in NEVER_CHANGED:
        _refuse_changes(table)


def _allow_payouts_in_postgresql() -> None:
    op.drop_constraint(op.f("transfers_kind_is_known"), "transfers", type_="check")
    op.create_check_constraint(op.f("transfers_kind_is_known"), "transfers", f"kind IN ({KINDS}, 'payout')")


def _allow_payouts_in_sqlite() -> None:
    """SQLite cannot alter a CHECK: the table is made anew, with its indexes and triggers, from its own words.

    The old one is renamed first, and nothing else follows the new name (`legacy_alter_table`): what refers
    to `transfers` goes on doing so, and no foreign key is ever without what it points to at the end.
    """
    bind = op.get_bind()
    query = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'transfers' AND sql IS NOT NULL"
    made = bind.exec_driver_sql(query).all()
    table_sql = next(sql for kind, _, sql in made if kind == "table")
    assert table_sql.count(KINDS) == 1, table_sql
    op.execute("PRAGMA legacy_alter_table = ON")
    for kind, name, _ in made:
        if kind != "table":
            op.execute(f"DROP {kind} {name}")
    op.execute("ALTER TABLE transfers RENAME TO transfers_before")
    op.execute(table_sql.replace(KINDS, f"{KINDS}, 'payout'"))
    op.execute("INSERT INTO transfers SELECT * FROM transfers_before ORDER BY seq")
    op.execute("DROP TABLE transfers_before")
    for kind, _, sql in made:
        if kind != "table":
            op.execute(sql)
    op.execute("PRAGMA legacy_alter_table = OFF")


def _refuse_excess_in_sqlite() -> None:
    op.execute(
        "CREATE TRIGGER transfers_no_excess BEFORE INSERT ON transfers "
        "WHEN NEW.kind = 'adjust' AND NEW.resolves IS NOT NULL AND NEW.amount + coalesce("
        "(SELECT sum(amount) FROM transfers WHERE resolves = NEW.resolves AND kind = 'adjust'), 0) "
        "> (SELECT amount FROM transfers WHERE key = NEW.resolves) "
        f"BEGIN SELECT RAISE(ABORT, '{TOO_MUCH}'); END"
    )


def _refuse_excess_in_postgresql() -> None:
    """What is taken back is locked first, so that two who take a part each are added up one after the other."""
    op.execute(
        "CREATE FUNCTION transfers_refuse_excess() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "DECLARE moved bigint; taken numeric; BEGIN "
        "SELECT amount INTO moved FROM transfers WHERE key = NEW.resolves FOR NO KEY UPDATE; "
        "SELECT coalesce(sum(amount), 0) INTO taken FROM transfers "
        "WHERE resolves = NEW.resolves AND kind = 'adjust'; "
        f"IF taken + NEW.amount > moved THEN RAISE EXCEPTION '{TOO_MUCH}' USING ERRCODE = 'check_violation'; "
        "END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER transfers_no_excess BEFORE INSERT ON transfers FOR EACH ROW "
        "WHEN (NEW.kind = 'adjust' AND NEW.resolves IS NOT NULL) EXECUTE FUNCTION transfers_refuse_excess()"
    )


def _create_disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("disputes_call_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("disputes_pk")),
        sa.UniqueConstraint("call_id", "n", name=op.f("disputes_call_id_n_key")),
    )
    op.create_table(
        "dispute_events",
        sa.Column("dispute_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("clawback", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "what IN ('opened', 'accepted', 'rejected')", name=op.f("dispute_events_what_is_known")
        ),
        sa.ForeignKeyConstraint(["dispute_id"], ["disputes.id"], name=op.f("dispute_events_dispute_id_fk")),
        sa.PrimaryKeyConstraint("dispute_id", "n", name=op.f("dispute_events_pk")),
    )


def _create_payouts() -> None:
    op.create_table(
        "payout_runs",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("hold_ms", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("payout_runs_pk")),
    )
    op.create_table(
        "payouts",
        sa.Column("transfer_key", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["payout_runs.key"], name=op.f("payouts_run_fk")),
        sa.ForeignKeyConstraint(["transfer_key"], ["transfers.key"], name=op.f("payouts_transfer_key_fk")),
        sa.PrimaryKeyConstraint("transfer_key", name=op.f("payouts_pk")),
        sa.UniqueConstraint("run", "publisher", name=op.f("payouts_run_publisher_key")),
    )
    op.create_table(
        "payout_items",
        sa.Column("transfer_key", sa.Text(), nullable=False),
        sa.Column("payout_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout_key"], ["payouts.transfer_key"], name=op.f("payout_items_payout_key_fk")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_key"], ["transfers.key"], name=op.f("payout_items_transfer_key_fk")
        ),
        sa.PrimaryKeyConstraint("transfer_key", name=op.f("payout_items_pk")),
    )


def _create_bills() -> None:
    op.create_table(
        "bills",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("payments", sa.BigInteger(), nullable=False),
        sa.Column("lines_json", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('invoice', 'statement')", name=op.f("bills_kind_is_known")),
        sa.PrimaryKeyConstraint("kind", "number", name=op.f("bills_pk")),
        sa.UniqueConstraint(
            "kind", "party", "currency", "period", name=op.f("bills_kind_party_currency_period_key")
        ),
    )
    op.create_table(
        "bill_items",
        sa.Column("transfer_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kind", "number"], ["bills.kind", "bills.number"], name=op.f("bill_items_kind_fk")
        ),
        sa.ForeignKeyConstraint(["transfer_key"], ["transfers.key"], name=op.f("bill_items_transfer_key_fk")),
        sa.PrimaryKeyConstraint("transfer_key", name=op.f("bill_items_pk")),
    )


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
