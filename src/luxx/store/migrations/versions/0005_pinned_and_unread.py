"""Conversations that a person has pinned, and those with an answer that nobody has looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two marks; what is there already counts as read."""
    for name in ("pinned", "unread"):
        op.add_column("conversation", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    there = sa.text("pinned AND deleted_at IS NULL")
    op.create_index(
        "conversation_pinned",
        "conversation",
        ["owner_id", "updated_at", "id"],
        sqlite_where=there,
        postgresql_where=there,
    )
