"""PostgreSQL changes advertisers' balances last: calls that wait to be offered look at those, and at no others."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_REPLACE = "SELECT replace(pg_get_functiondef('transfers_keep_balances'::regproc), '{0}', '{1}') AS changed"
_BEFORE, _AFTER = "ORDER BY account, currency", "ORDER BY account DESC, currency"


def upgrade() -> None:
    _replace(_BEFORE, _AFTER)


def downgrade() -> None:
    _replace(_AFTER, _BEFORE)


def _replace(before: str, after: str) -> None:
    """SQLite has no order of locks: who writes has the whole database."""
    if op.get_bind().dialect.name != "postgresql":
        return
    changed = op.get_bind().exec_driver_sql(_REPLACE.format(before, after)).scalar_one()
    op.get_bind().exec_driver_sql(changed)
