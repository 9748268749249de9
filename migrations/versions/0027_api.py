"""The API: keys of programs, requests that are done once, and the order in which calls changed."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pk")),
        sa.UniqueConstraint("hash", name=op.f("api_keys_hash_key")),
    )
    op.create_table(
        "requests",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answer_json", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sender", "key", name=op.f("requests_pk")),
    )
    op.create_index("requests_at", "requests", ["at"])
    _order_of_changes()


def _order_of_changes() -> None:
    """The calls that are there changed in the order in which they began."""
    op.create_table(
        "call_changes",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("call_changes_call_id_fk")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("call_changes_pk")),
        sa.UniqueConstraint("place", name=op.f("call_changes_place_key")),
    )
    op.create_table(
        "call_places",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("call_places_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("call_places_pk")),
    )
    op.execute(
        "INSERT INTO call_changes (call_id, place) SELECT id, row_number() OVER (ORDER BY started_at, id) FROM calls"
    )
    op.execute("INSERT INTO call_places (id, last) SELECT 1, count(*) FROM call_changes")
    without_place = sa.text("place IS NULL")
    op.create_index(
        "call_changes_without_place",
        "call_changes",
        ["call_id"],
        sqlite_where=without_place,
        postgresql_where=without_place,
    )

    for statement in _TRIGGER[op.get_bind().dialect.name]:
        op.execute(statement)


# However a call is saved, also by a program of the version before that is still at work.
_TRIGGER = {
    "sqlite": [
        "CREATE TRIGGER calls_change AFTER INSERT ON calls BEGIN"
        " INSERT INTO call_changes (call_id) VALUES (NEW.id); END"
    ],
    "postgresql": [
        "CREATE FUNCTION note_new_calls() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO call_changes (call_id) SELECT id FROM added; RETURN NULL; END $$",
        "CREATE TRIGGER calls_change AFTER INSERT ON calls REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_new_calls()",
    ],
}


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER calls_change")
    else:
        op.execute("DROP TRIGGER calls_change ON calls")
        op.execute("DROP FUNCTION note_new_calls()")
    op.drop_table("call_places")
    op.drop_table("call_changes")
    op.drop_table("requests")
    op.drop_table("api_keys")
