"""Rollups: what reports count, by the hour. Empty at first; `callrace reports rebuild` counts the calls there are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CALL_COUNTS = (
    "incoming",
    "answered",
    "offered",
    "qualified",
    "repeat",
    "connected",
    "no_answer",
    "no_route",
    "abandoned_ivr",
    "abandoned_queue",
    "flow_ended",
    "blocked",
    "closed",
    "capped",
    "unknown_number",
    "failed",
)
CALL_SUMS = ("wait_ms", "talk_ms", "line_ms", "revenue", "payout")
OFFER_COUNTS = (
    "offered",
    "answered",
    "accepted",
    "late",
    "won",
    "lost",
    "declined",
    "no_answer",
    "busy",
    "failed",
    "cancelled",
)
OFFER_SUMS = ("accept_ms", "late_ms")


def upgrade() -> None:
    for name, parties in (
        ("rollup_calls", ("campaign", "advertiser", "publisher", "source", "currency")),
        ("rollup_states", ("campaign", "advertiser", "state", "currency")),
        ("rollup_details", ("campaign", "advertiser", "publisher", "source", "state", "currency")),
    ):
        _create(name, parties, (), CALL_COUNTS, CALL_SUMS)
    _create("rollup_offers", ("campaign", "advertiser", "destination"), (), OFFER_COUNTS, OFFER_SUMS)
    seconds = (sa.Column("payable_ms", sa.BigInteger()), sa.Column("second", sa.Integer()))
    _create("rollup_endings", ("campaign", "publisher", "destination"), seconds, ("connections",), ())


def _create(
    name: str,
    parties: tuple[str, ...],
    seconds: tuple[sa.Column, ...],
    counts: tuple[str, ...],
    sums: tuple[str, ...],
) -> None:
    keys = (
        sa.Column("hour_at", sa.BigInteger()),
        *(sa.Column(party, sa.Text()) for party in parties),
        *seconds,
    )
    for key in keys:
        key.nullable = False
    op.create_table(
        name,
        *keys,
        *(sa.Column(count, sa.Integer(), nullable=False) for count in counts),
        *(sa.Column(total, sa.BigInteger(), nullable=False) for total in sums),
        sa.PrimaryKeyConstraint(*(key.name for key in keys), name=op.f(f"{name}_pk")),
    )
