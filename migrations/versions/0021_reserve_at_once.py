"""PostgreSQL reserves all that a call needs in one message, where there is room for all of it."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_NO_ROOM = "CR001"  # an SQLSTATE of our own
# What `store.limits.reservations` does step by step, in the same order. Keys come sorted.
_RESERVE = f"""
CREATE FUNCTION reserve_at_once(
    its_call text, its_at bigint, its_end bigint,
    keys text[], starts bigint[], amounts bigint[], limits bigint[],
    its_funds text, its_account text, its_currency text, its_amount bigint, its_credit bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    INSERT INTO reservations (call_id, key, period_start, amount, at, expires_at)
    SELECT its_call, claim.key, claim.start, claim.amount, its_at, its_end
    FROM (
        SELECT * FROM unnest(keys, starts, amounts)
        UNION ALL SELECT its_funds, 0, its_amount WHERE its_funds IS NOT NULL
    ) AS claim (key, start, amount)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed < cardinality(keys) + num_nonnulls(its_funds) THEN
        RAISE SQLSTATE '{_NO_ROOM}';
    END IF;
    IF its_funds IS NOT NULL THEN
        UPDATE account_balances SET reserved = reserved + its_amount
        WHERE account = its_account AND currency = its_currency
        AND posted + CASE WHEN held < 0 THEN held ELSE 0 END - reserved - its_amount >= -its_credit;
        IF NOT FOUND THEN
            RAISE SQLSTATE '{_NO_ROOM}';
        END IF;
    END IF;
    INSERT INTO counters (key, period_start, used, reserved)
    SELECT claim.key, claim.start, 0, claim.amount FROM unnest(keys, starts, amounts) AS claim (key, start, amount)
    ON CONFLICT (key, period_start) DO UPDATE SET reserved = counters.reserved + excluded.reserved
    WHERE counters.used + counters.reserved + excluded.reserved <= limits[array_position(keys, excluded.key)];
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed < cardinality(keys) THEN
        RAISE SQLSTATE '{_NO_ROOM}';
    END IF;
    RETURN true;
EXCEPTION WHEN SQLSTATE '{_NO_ROOM}' THEN
    RETURN false;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_RESERVE)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION reserve_at_once")
