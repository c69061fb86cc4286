"""Prompts that were played, and their answers to the questions of a set with what was measured."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prompt_variants",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the text, without its version"),
        sa.Column("name", sa.Text(), nullable=False, comment="file in which it was first played"),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_prompt_variants")),
    )
    op.create_table(
        "prompt_answers",
        sa.Column("prompt", sa.String(length=64), nullable=False),
        sa.Column(
            "conditions",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the questions, the knowledge base, the service, its model and settings",
        ),
        sa.Column(
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="of the question in its set, from 1",
        ),
        sa.Column("questions", sa.Text(), nullable=False, comment="file of the set"),
        sa.Column("count", sa.Integer(), nullable=False, comment="questions of the set"),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider", sa.String(length=63), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="what the model wrote, before the checks"),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt"],
            ["prompt_variants.digest"],
            name=op.f("fk_prompt_answers_prompt_prompt_variants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("prompt", "conditions", "number", name=op.f("pk_prompt_answers")),
    )


def downgrade() -> None:
    op.drop_table("prompt_answers")
    op.drop_table("prompt_variants")
