"""The tutor: conversations, their turns with ratings, and corrections of answers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(length=32), nullable=False, comment="random"),
        sa.Column(
            "owner",
            sa.String(length=80),
            nullable=False,
            comment="person:ID, or anonymous: and a keyed hash of a cookie",
        ),
        sa.Column("title", sa.String(length=120), nullable=False, comment="masked"),
        sa.Column(
            "level",
            sa.String(length=16),
            nullable=True,
            comment="as the learner chose it; null: inferred from each question",
        ),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    op.create_index("ix_conversations_owner_used", "conversations", ["owner", "used"], unique=False)
    op.create_index("ix_conversations_used", "conversations", ["used"], unique=False)
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "turns",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False, comment="asked, done or stopped"),
        sa.Column("question", sa.Text(), nullable=False, comment="masked"),
        sa.Column("understood", sa.Text(), nullable=True, comment="masked, with what an earlier turn adds"),
        sa.Column("answer", sa.Text(), nullable=True, comment="masked"),
        sa.Column("lines", sa.JSON(), nullable=True),
        sa.Column("citations", sa.JSON(), nullable=True),
        sa.Column("level", sa.String(length=16), nullable=True),
        sa.Column("how", sa.String(length=16), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=True),
        sa.Column("provider", sa.String(length=63), nullable=True),
        sa.Column("sure", sa.Boolean(), nullable=True),
        sa.Column("refused", sa.Boolean(), nullable=True),
        sa.Column("failure", sa.String(length=64), nullable=True),
        sa.Column("tokens", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Float(), nullable=True),
        sa.Column("subtopics", sa.JSON(), nullable=True),
        sa.Column("rating", sa.String(length=8), nullable=True, comment="good or bad"),
        sa.Column("rated", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_turns_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turns")),
    )
    op.create_index(op.f("ix_turns_conversation_id"), "turns", ["conversation_id"], unique=False)
    op.create_table(
        "answer_corrections",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("turn_id", serial, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("question", sa.Text(), nullable=False, comment="masked"),
        sa.Column("answer", sa.Text(), nullable=False, comment="masked"),
        sa.Column("text", sa.Text(), nullable=False, comment="what is said to be right, masked"),
        sa.Column("subtopic", sa.String(length=130), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False, comment="open, accepted or refused"),
        sa.Column("decided", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("why", sa.Text(), nullable=True, comment="of the decision"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name=op.f("fk_answer_corrections_turn_id_turns"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_corrections")),
    )
    op.create_index(op.f("ix_answer_corrections_turn_id"), "answer_corrections", ["turn_id"], unique=False)
    op.create_index("ix_answer_corrections_state", "answer_corrections", ["state"], unique=False)


def downgrade() -> None:
    op.drop_table("answer_corrections")
    op.drop_table("turns")
    op.drop_table("conversations")
