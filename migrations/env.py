"""Alembic's entry: runs on the connection and in the transaction of `ari_app.store.db.schema`."""

from alembic import context

from ari_app.store.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
