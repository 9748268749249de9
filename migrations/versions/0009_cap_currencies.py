"""A cap of money counts in one currency, which its counter's name tells: so far, that of the marketplace."""

import json
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_VERSIONS = sa.table("marketplace_versions", sa.column("version"), sa.column("document_json"))
_COUNTED = [sa.table(name, sa.column("key")) for name in ("counters", "reservations")]


def upgrade() -> None:
    connection = op.get_bind()
    newest = sa.select(_VERSIONS.c.document_json).order_by(_VERSIONS.c.version.desc()).limit(1)
    document = connection.execute(newest).scalar_one_or_none()
    if document is not None:  # without a marketplace there are no caps
        currency = json.loads(document)["currency"]
        _rename(lambda key: f"{key}:{currency}")


def downgrade() -> None:
    _rename(lambda key: key.rpartition(":")[0])


def _rename(renamed: Callable[[str], str]) -> None:
    connection = op.get_bind()
    for table in _COUNTED:
        for key in connection.execute(sa.select(table.c.key).distinct()).scalars().all():
            if _is_of_money(key):
                connection.execute(sa.update(table).where(table.c.key == key).values(key=renamed(key)))


def _is_of_money(key: str) -> bool:
    """Such as `campaign:plumbing:amount:day`; what is reserved of an account is not a cap's."""
    kind, _, measured = key.split(":")[:3]
    return kind != "funds" and measured == "amount"
