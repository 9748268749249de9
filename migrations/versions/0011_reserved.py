"""A call says what was set aside for it, and a part of a hold may be released before the hold ends.

After a downgrade the index stays as it is here: nothing in the ledger is changed, and a hold of which a part was
released has two transfers that resolve it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INDEX = "transfers_hold_ends_once"


def upgrade() -> None:
    op.add_column("calls", sa.Column("reserved", sa.BigInteger(), nullable=True))
    op.drop_index(_INDEX, "transfers")
    ends_it = sa.text("kind IN ('post', 'void') AND replace(key, ':price:rest', '') = key")
    op.create_index(
        _INDEX, "transfers", ["resolves"], unique=True, sqlite_where=ends_it, postgresql_where=ends_it
    )


def downgrade() -> None:
    op.drop_column("calls", "reserved")
