"""Calls keep what became of the transfers that their agents asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("transfers_json", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("first_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("calls", "first_ms")
    op.drop_column("calls", "transfers_json")
