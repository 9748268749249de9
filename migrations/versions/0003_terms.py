"""Verdicts have parts: clauses of the price, the payout or a bonus alone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("parts_json", sa.Text))


def downgrade() -> None:
    op.drop_column("calls", "parts_json")
