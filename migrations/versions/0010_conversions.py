"""Calls may wait for a conversion, and have one."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TIMES = ("waits_until", "converted_at", "conversion_told_at")
_INDEXED = ("waits_until", "conversion_told_at")


def upgrade() -> None:
    for name in _TIMES:
        op.add_column("calls", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("calls", sa.Column("conversion_ref", sa.Text(), nullable=True))
    for name in _INDEXED:
        op.create_index(f"calls_{name}", "calls", [name])


def downgrade() -> None:
    for name in _INDEXED:
        op.drop_index(f"calls_{name}", "calls")
    for name in (*_TIMES, "conversion_ref"):
        op.drop_column("calls", name)
