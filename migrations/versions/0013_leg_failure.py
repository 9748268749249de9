"""A leg tells why Asterisk did not dial it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("legs", sa.Column("failure", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("legs", "failure")
