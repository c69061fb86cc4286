"""SQLAlchemy tables and Alembic migrations of the ledger and of operations."""
