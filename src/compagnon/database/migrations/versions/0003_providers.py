"""AI services: what each answer used, and answers that are given again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_usage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False, comment="UTC, as 2026-11-21: ceilings count by it"),
        sa.Column("person", sa.String(length=64), nullable=True, comment="pseudonym of who asked"),
        sa.Column("provider", sa.String(length=63), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False, comment="reserved, done, stopped, failed or cached"),
        sa.Column("reason", sa.String(length=32), nullable=True, comment="of a failure"),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False, comment="by the service; else estimated here"),
        sa.Column(
            "cost_nano",
            sa.BigInteger(),
            nullable=True,
            comment="billionths of the currency; null where the price is not known",
        ),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("energy_min", sa.Float(), nullable=True, comment="Wh"),
        sa.Column("energy_max", sa.Float(), nullable=True, comment="Wh"),
        sa.Column("carbon_min", sa.Float(), nullable=True, comment="g CO2 equivalent"),
        sa.Column("carbon_max", sa.Float(), nullable=True, comment="g CO2 equivalent"),
        sa.Column("first_ms", sa.Integer(), nullable=True, comment="wait for the first word"),
        sa.Column("whole_ms", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_usage")),
    )
    op.create_index("ix_provider_usage_provider_day", "provider_usage", ["provider", "day"], unique=False)
    op.create_index("ix_provider_usage_person_day", "provider_usage", ["person", "day"], unique=False)
    op.create_table(
        "remembered_answers",
        sa.Column("key", sa.String(length=64), nullable=False, comment="keyed hash of the masked request"),
        sa.Column("provider", sa.String(length=63), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="masked"),
        sa.Column("finish", sa.String(length=8), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_remembered_answers")),
    )
    op.create_index(op.f("ix_remembered_answers_expires"), "remembered_answers", ["expires"], unique=False)


def downgrade() -> None:
    op.drop_table("remembered_answers")
    op.drop_table("provider_usage")
