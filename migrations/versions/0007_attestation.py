"""Calls keep the STIR/SHAKEN attestation of the caller's number, where the carrier gives one."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("attestation", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("calls", "attestation")
