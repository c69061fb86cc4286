"""What a person and the owner of a conversation write to each other while it is handed over."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "handover_messages",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("handover_id", serial, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False, comment="person or owner"),
        sa.Column(
            "by",
            sa.String(length=80),
            nullable=True,
            comment="who answered, as long as the handover is kept; null for the owner",
        ),
        sa.Column("text", sa.Text(), nullable=False, comment="masked"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_handover_messages_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["handover_id"],
            ["handovers.id"],
            name=op.f("fk_handover_messages_handover_id_handovers"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_messages")),
    )
    for column in ("conversation_id", "handover_id"):
        op.create_index(op.f(f"ix_handover_messages_{column}"), "handover_messages", [column], unique=False)
    # What was answered until now becomes readable by whom it was for.
    op.execute(
        'INSERT INTO handover_messages (conversation_id, handover_id, "at", side, "by", "text") '
        "SELECT conversation_id, id, closed, 'person', closed_by, answer FROM handovers "
        "WHERE answer IS NOT NULL AND closed IS NOT NULL ORDER BY id"
    )


def downgrade() -> None:
    op.drop_table("handover_messages")
