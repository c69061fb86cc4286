"""The support desk: conversations handed over to a person, and decisions about proposed entries of the FAQ."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "handovers",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=8), nullable=False, comment="asked, refused or unsure"),
        sa.Column("state", sa.String(length=8), nullable=False, comment="waiting, taken or closed"),
        sa.Column("taken", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_by", sa.String(length=80), nullable=True),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=80), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True, comment="what the person answered, masked"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_handovers_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
    )
    op.create_index(op.f("ix_handovers_conversation_id"), "handovers", ["conversation_id"], unique=False)
    op.create_index("ix_handovers_state_at", "handovers", ["state", "at"], unique=False)
    op.create_table(
        "faq_decisions",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False, comment="accepted or refused"),
        sa.Column("proposal", sa.String(length=16), nullable=False),
        sa.Column("question", sa.Text(), nullable=False, comment="of a group of people, masked"),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("entry", sa.String(length=130), nullable=True, comment="id in the knowledge base"),
        sa.Column("patch", sa.Text(), nullable=True, comment="of the file of the knowledge base, as a unified diff"),
        sa.Column("why", sa.Text(), nullable=True, comment="of the decision"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faq_decisions")),
    )
    op.create_index(op.f("ix_faq_decisions_proposal"), "faq_decisions", ["proposal"], unique=False)


def downgrade() -> None:
    op.drop_table("faq_decisions")
    op.drop_table("handovers")
