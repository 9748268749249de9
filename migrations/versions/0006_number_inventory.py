"""Numbers: who has which is in `number_assignments` alone; an inventory; publishers' applications."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_APPEND_ONLY = "application_events"
_VERSIONS = sa.table(
    "marketplace_versions", sa.column("version"), sa.column("applied_at"), sa.column("document_json")
)
_ASSIGNMENTS = sa.table(
    "number_assignments",
    *map(sa.column, ("did", "campaign", "publisher", "source", "from_at", "to_at")),
)


def upgrade() -> None:
    op.add_column("number_assignments", sa.Column("origin", sa.Text(), nullable=False, server_default="file"))
    op.create_index("number_assignments_campaign_publisher", "number_assignments", ["campaign", "publisher"])
    op.create_table(
        "inventory",
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.Column("available_from", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('local', 'tollfree')", name=op.f("inventory_kind_is_known")),
        sa.PrimaryKeyConstraint("did", name=op.f("inventory_pk")),
    )
    op.create_index("inventory_kind_region_available_from", "inventory", ["kind", "region", "available_from"])
    op.create_table(
        "applications",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("applications_pk")),
        sa.UniqueConstraint("campaign", "publisher", name=op.f("applications_campaign_publisher_key")),
    )
    op.create_table(
        _APPEND_ONLY,
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("application_events_application_id_fk")
        ),
        sa.PrimaryKeyConstraint("application_id", "n", name=op.f("application_events_pk")),
    )
    _refuse_changes()
    _take_numbers_out_of_the_versions()


def downgrade() -> None:
    _put_numbers_back_into_the_versions()
    op.drop_table(_APPEND_ONLY)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {_APPEND_ONLY}_refuse_change()")
    op.drop_table("applications")
    op.drop_table("inventory")
    op.drop_index("number_assignments_campaign_publisher", "number_assignments")
    op.drop_column("number_assignments", "origin")


def _refuse_changes() -> None:
    """Triggers that refuse UPDATE and DELETE, and in PostgreSQL also TRUNCATE."""
    table = _APPEND_ONLY
    message = f"the rows of {table} are never changed: correct them by adding new ones"
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse_change()"
    )


def _take_numbers_out_of_the_versions() -> None:
    """What a version says of numbers, the assignments of its moment say too."""
    for version, _, document in _documents():
        del document["numbers"]
        _save(version, document)


def _put_numbers_back_into_the_versions() -> None:
    for version, applied_at, document in _documents():
        columns = _ASSIGNMENTS.c
        is_then = columns.from_at <= applied_at, sa.or_(columns.to_at.is_(None), columns.to_at > applied_at)
        document["numbers"] = {
            row.did: {"campaign": row.campaign, "publisher": row.publisher}
            | ({} if row.source is None else {"source": row.source})
            for row in op.get_bind().execute(sa.select(_ASSIGNMENTS).where(*is_then))
        }
        _save(version, document)


def _documents():
    """Every version, one at a time: a document may be large."""
    connection = op.get_bind()
    for version in connection.execute(sa.select(_VERSIONS.c.version)).scalars().all():
        row = connection.execute(sa.select(_VERSIONS).where(_VERSIONS.c.version == version)).one()
        yield row.version, row.applied_at, json.loads(row.document_json)


def _save(version, document):
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    op.get_bind().execute(
        sa.update(_VERSIONS).where(_VERSIONS.c.version == version).values(document_json=text)
    )
