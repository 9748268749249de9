"""Calls keep what their carrier says of how they came here: Diversion and History-Info."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("diversion_json", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("history_info_json", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("calls", "history_info_json")
    op.drop_column("calls", "diversion_json")
