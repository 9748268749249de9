"""What trunks' legs talked is carried along; callers and changes of numbers are looked up by index."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_DAY_MS = 86_400_000
_KEPT_DAYS = 40  # the month and the week under way began within
_SPANS_MS = {"hour": 3_600_000, "day": _DAY_MS}


def upgrade() -> None:
    op.create_table(
        "talked",
        sa.Column("destination", sa.Text(), primary_key=True),
        sa.Column("span", sa.Text(), primary_key=True),
        sa.Column("from_at", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("talked_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("span IN ('hour', 'day')", name="span_is_known"),
    )
    fill()
    op.create_index("calls_ani_started_at", "calls", ["ani", "started_at"])
    op.drop_index("calls_ani", "calls")
    for name in ("from_at", "to_at"):
        op.create_index(f"number_assignments_{name}", "number_assignments", [name])


def fill() -> None:
    """Counts what the periods under way have seen."""
    since = int(time.time() * 1000) - _KEPT_DAYS * _DAY_MS
    for span, ms in _SPANS_MS.items():
        from_at = f"c.started_at - c.started_at % {ms}"
        op.execute(
            f"INSERT INTO talked (destination, span, from_at, talked_ms)"
            f" SELECT l.destination, '{span}', {from_at}, SUM(COALESCE(l.ended_at, c.ended_at) - l.answered_at)"
            f" FROM calls c JOIN legs l ON l.call_id = c.id"
            f" WHERE c.started_at >= {since - since % ms} AND l.answered_at IS NOT NULL"
            f" AND COALESCE(l.ended_at, c.ended_at) IS NOT NULL"
            f" GROUP BY l.destination, {from_at}"
        )


def downgrade() -> None:
    for name in ("from_at", "to_at"):
        op.drop_index(f"number_assignments_{name}", "number_assignments")
    op.create_index("calls_ani", "calls", ["ani"])
    op.drop_index("calls_ani_started_at", "calls")
    op.drop_table("talked")
