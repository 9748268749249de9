"""A call and its legs tell what the lines of those who talked were like: last packet, hold, whether they died."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("calls", "legs"):
        op.add_column(table, sa.Column("line_json", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in ("calls", "legs"):
        op.drop_column(table, "line_json")
