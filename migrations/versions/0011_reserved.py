"""A call says what was set aside for it, and a part of a hold may be released before the hold ends."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INDEX = "transfers_hold_ends_once"
_BEFORE = "kind IN ('post', 'void')"
_AFTER = f"{_BEFORE} AND replace(key, ':price:rest', '') = key"


def upgrade() -> None:
    op.add_column("calls", sa.Column("reserved", sa.BigInteger(), nullable=True))
    _make_index(_AFTER)


def downgrade() -> None:
    _make_index(_BEFORE)
    op.drop_column("calls", "reserved")


def _make_index(where: str) -> None:
    op.drop_index(_INDEX, "transfers")
    op.create_index(
        _INDEX,
        "transfers",
        ["resolves"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
