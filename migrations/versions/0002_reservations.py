"""Caps and funds: counters, what calls have reserved in them, and balances that triggers keep."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What a transfer adds to its credit's balance and takes from its debit's (`domain.ledger.effect`).
POSTED = "CASE WHEN {0}kind IN ('hold', 'void') THEN 0 ELSE {0}amount END"
HELD = (
    "CASE WHEN {0}kind = 'hold' THEN {0}amount "
    "WHEN {0}kind IN ('post', 'void') AND {0}resolves IS NOT NULL THEN -{0}amount ELSE 0 END"
)
MOVED = (
    "SELECT account, currency, SUM(posted) AS posted, SUM(held) AS held FROM ("
    f"SELECT credit AS account, currency, {POSTED.format('')} AS posted, {HELD.format('')} AS held FROM {{0}} "
    f"UNION ALL SELECT debit, currency, -({POSTED.format('')}), -({HELD.format('')}) FROM {{0}}"
    # In order: two transactions that take the rows' locks one way never wait for each other in a circle.
    ") AS sides GROUP BY account, currency ORDER BY account, currency"
)
ADD_UP = (
    "ON CONFLICT (account, currency) DO UPDATE SET "
    "posted = account_balances.posted + excluded.posted, held = account_balances.held + excluded.held"
)


def upgrade() -> None:
    op.create_table(
        "account_balances",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("posted", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reserved >= 0", name=op.f("account_balances_reserved_is_not_negative")),
        sa.PrimaryKeyConstraint("account", "currency", name=op.f("account_balances_pk")),
    )
    op.create_table(
        "counters",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("period_start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("counters_used_is_not_negative")),
        sa.CheckConstraint("reserved >= 0", name=op.f("counters_reserved_is_not_negative")),
        sa.PrimaryKeyConstraint("key", "period_start", name=op.f("counters_pk")),
    )
    op.create_index("counters_period_start", "counters", ["period_start"], unique=False)
    op.create_table(
        "reservations",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("period_start", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("reservations_amount_is_positive")),
        sa.PrimaryKeyConstraint("call_id", "key", name=op.f("reservations_pk")),
    )
    op.create_index("reservations_expires_at", "reservations", ["expires_at"], unique=False)
    op.execute(
        "INSERT INTO account_balances (account, currency, posted, held, reserved) "
        f"SELECT account, currency, posted, held, 0 FROM ({MOVED.format('transfers')}) AS moved"
    )
    if op.get_bind().dialect.name == "sqlite":
        _keep_by_row()
    else:
        _keep_by_statement()


def _keep_by_row() -> None:
    """SQLite has triggers for each row only."""
    posted, held = POSTED.format("NEW."), HELD.format("NEW.")
    into = "INSERT INTO account_balances (account, currency, posted, held, reserved) VALUES"
    op.execute(
        "CREATE TRIGGER transfers_keep_balances AFTER INSERT ON transfers BEGIN "
        f"{into} (NEW.credit, NEW.currency, {posted}, {held}, 0) {ADD_UP}; "
        f"{into} (NEW.debit, NEW.currency, -({posted}), -({held}), 0) {ADD_UP}; "
        "END"
    )


def _keep_by_statement() -> None:
    """A batch of transfers changes each balance once."""
    op.execute(
        "CREATE FUNCTION transfers_keep_balances() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO account_balances (account, currency, posted, held, reserved) "
        f"SELECT account, currency, posted, held, 0 FROM ({MOVED.format('added')}) AS moved {ADD_UP}; "
        "RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER transfers_keep_balances AFTER INSERT ON transfers "
        "REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION transfers_keep_balances()"
    )
