"""Access: accounts, browser sessions, one-time links, throttling, traces of access, settings."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column(
            "account_id",
            sa.String(length=32),
            nullable=True,
            comment="no foreign key: the trace outlives the account, anonymous",
        ),
        sa.Column("actor", sa.String(length=64), nullable=True, comment="who did it, where it was not that person"),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.Column("browser", sa.String(length=80), nullable=True),
        sa.Column("network", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_events")),
    )
    op.create_index(op.f("ix_access_events_account_id"), "access_events", ["account_id"], unique=False)
    op.create_index(op.f("ix_access_events_at"), "access_events", ["at"], unique=False)
    op.create_table(
        "accounts",
        sa.Column(
            "id",
            sa.String(length=32),
            nullable=False,
            comment="random; stands for the person wherever an author is written",
        ),
        sa.Column("sign_in", sa.String(length=200), nullable=False, comment="name or e-mail, normalized"),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=True),
        sa.Column(
            "password",
            sa.Text(),
            nullable=True,
            comment="Argon2id with its salt and parameters; null until the invitation is taken up",
        ),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("password_changed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("sign_in", name=op.f("uq_accounts_sign_in")),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
    )
    op.create_table(
        "throttles",
        sa.Column(
            "subject", sa.String(length=80), nullable=False, comment="keyed hash of a sign-in name, an address or both"
        ),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_throttles")),
    )
    op.create_index("ix_throttles_last", "throttles", ["last"], unique=False)
    op.create_table(
        "one_time_links",
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of a random token of 256 bits"),
        sa.Column("purpose", sa.String(length=16), nullable=False, comment="first, invitation or reset"),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_one_time_links_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_one_time_links")),
    )
    op.create_index(op.f("ix_one_time_links_account_id"), "one_time_links", ["account_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False, comment="to the minute"),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False, comment="over then unless seen again"),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False, comment="over then in any case"),
        sa.Column("remembered", sa.Boolean(), nullable=False),
        sa.Column(
            "generation", sa.Integer(), nullable=False, comment="counts renewals; older refresh tokens are used up"
        ),
        sa.Column("renewed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("browser", sa.String(length=80), nullable=False, comment="family and system only"),
        sa.Column("network", sa.String(length=64), nullable=False, comment="truncated address"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account_id"), "sessions", ["account_id"], unique=False)
    op.create_table(
        "session_tokens",
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of a random token of 256 bits"),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="access or refresh"),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_session_tokens_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_session_tokens")),
    )
    op.create_index(op.f("ix_session_tokens_session_id"), "session_tokens", ["session_id"], unique=False)


def downgrade() -> None:

    op.drop_index(op.f("ix_session_tokens_session_id"), table_name="session_tokens")
    op.drop_table("session_tokens")
    op.drop_index(op.f("ix_sessions_account_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(op.f("ix_one_time_links_account_id"), table_name="one_time_links")
    op.drop_table("one_time_links")
    op.drop_index("ix_throttles_last", table_name="throttles")
    op.drop_table("throttles")
    op.drop_table("settings")
    op.drop_table("accounts")
    op.drop_index(op.f("ix_access_events_at"), table_name="access_events")
    op.drop_index(op.f("ix_access_events_account_id"), table_name="access_events")
    op.drop_table("access_events")
