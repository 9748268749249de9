"""A phone that forwards its calls is an outcome of its own, with where it forwards them to."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("legs", sa.Column("forwarded_to", sa.Text(), nullable=True))
    op.add_column("rollup_offers", sa.Column("forwarded", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.execute("UPDATE legs SET outcome = 'failed' WHERE outcome = 'forwarded'")
    op.execute("UPDATE rollup_offers SET failed = failed + forwarded")
    op.drop_column("rollup_offers", "forwarded")
    op.drop_column("legs", "forwarded_to")
