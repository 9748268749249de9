"""The newest calls of one advertiser, or of one publisher, are found by an index."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("calls_advertiser_started_at", "calls", ["advertiser", "started_at"])
    op.create_index("calls_publisher_started_at", "calls", ["publisher", "started_at"])
    op.drop_index("calls_publisher", "calls")


def downgrade() -> None:
    op.create_index("calls_publisher", "calls", ["publisher"])
    op.drop_index("calls_publisher_started_at", "calls")
    op.drop_index("calls_advertiser_started_at", "calls")
