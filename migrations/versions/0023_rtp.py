"""A call and its legs tell what their lines carried."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("calls", "legs"):
        op.add_column(table, sa.Column("rtp_json", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in ("calls", "legs"):
        op.drop_column(table, "rtp_json")
