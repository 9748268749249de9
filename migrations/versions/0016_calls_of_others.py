"""A running switch learns of calls that it has not served, in the order in which they are saved."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calls_of_others",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="calls_of_others_call_id_fk"),
        sa.PrimaryKeyConstraint("seq", name="calls_of_others_pk"),
    )


def downgrade() -> None:
    op.drop_table("calls_of_others")
