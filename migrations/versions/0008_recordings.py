"""Calls may have a recording: since when, until when it is kept, when it was deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("keep_until", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("recordings_call_id_fk")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("recordings_pk")),
    )
    op.create_index("recordings_keep_until", "recordings", ["keep_until"])


def downgrade() -> None:
    op.drop_table("recordings")
