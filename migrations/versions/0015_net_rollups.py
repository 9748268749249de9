"""Rollups count money in the hour of each transfer, net of what corrected it, with columns that say by how much.

What is counted so far is counted anew, from the ledger. After a downgrade `callrace reports rebuild` does that.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

HOUR_MS = 3_600_000
TABLES = {
    "rollup_calls": ("campaign", "advertiser", "publisher", "source", "currency"),
    "rollup_states": ("campaign", "advertiser", "state", "currency"),
    "rollup_details": ("campaign", "advertiser", "publisher", "source", "state", "currency"),
}
COUNTERS = (
    "incoming", "answered", "offered", "qualified", "repeat", "connected", "no_answer", "no_route", "abandoned_ivr",
    "abandoned_queue", "flow_ended", "blocked", "closed", "capped", "unknown_number", "failed", "wait_ms", "talk_ms",
    "line_ms",
)  # fmt: skip
ADDED = ("corrected_revenue", "corrected_payout", "later_revenue", "later_payout")

IS_CHARGE = "(t.debit LIKE 'advertiser:%' OR t.credit LIKE 'advertiser:%')"
REVENUE = f"CASE WHEN NOT {IS_CHARGE} THEN 0 WHEN t.credit = 'exchange' THEN t.amount ELSE -t.amount END"
PAYOUT = f"CASE WHEN {IS_CHARGE} THEN 0 WHEN t.debit = 'exchange' THEN t.amount ELSE -t.amount END"
CORRECTED = "t.kind = 'adjust'"
LATER = "t.kind = 'post' AND t.at > COALESCE(c.ended_at, c.started_at)"
SUMS = {
    "revenue": REVENUE,
    "payout": PAYOUT,
    "corrected_revenue": f"CASE WHEN {CORRECTED} THEN {REVENUE} ELSE 0 END",
    "corrected_payout": f"CASE WHEN {CORRECTED} THEN {PAYOUT} ELSE 0 END",
    "later_revenue": f"CASE WHEN {LATER} THEN {REVENUE} ELSE 0 END",
    "later_payout": f"CASE WHEN {LATER} THEN {PAYOUT} ELSE 0 END",
}


def upgrade() -> None:
    op.create_index("transfers_at", "transfers", ["at"])
    for table, parties in TABLES.items():
        for name in ADDED:
            op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
        op.execute(f"UPDATE {table} SET revenue = 0, payout = 0")
        op.execute(_count_money(table, parties))


def _count_money(table: str, parties: tuple[str, ...]) -> str:
    columns = {"state": "place_state"}
    keys = [f"t.at - t.at % {HOUR_MS}", *(f"COALESCE(c.{columns.get(p, p)}, '')" for p in parties)]
    return (
        f"INSERT INTO {table} (hour_at, {', '.join((*parties, *COUNTERS, *SUMS))}) "
        f"SELECT {', '.join(keys)}, {', '.join('0' for _ in COUNTERS)}, "
        f"{', '.join(f'SUM({amount})' for amount in SUMS.values())} "
        "FROM transfers t JOIN calls c ON c.id = t.call_id WHERE t.kind IN ('post', 'adjust') "
        f"GROUP BY {', '.join(keys)} "
        f"ON CONFLICT (hour_at, {', '.join(parties)}) "
        f"DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in SUMS)}"
    )


def downgrade() -> None:
    for table in TABLES:
        for name in ADDED:
            op.drop_column(table, name)
    op.drop_index("transfers_at", "transfers")
