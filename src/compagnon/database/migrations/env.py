"""Alembic's way into the database: the connection is handed over by compagnon.database.engine."""

from alembic import context

from compagnon.database.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
