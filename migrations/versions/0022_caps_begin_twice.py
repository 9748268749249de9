"""A cap may count by itself before what its period's calls had used before that is counted."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "cap_rules", sa.Column("is_counted", sa.Boolean(), server_default=sa.true(), nullable=False)
    )


def downgrade() -> None:
    op.execute("DELETE FROM cap_rules WHERE NOT is_counted")
    op.drop_column("cap_rules", "is_counted")
