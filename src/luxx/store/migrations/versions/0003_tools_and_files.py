"""Tools and files: approvals that wait for a person, the rules that spare them, files stored once by content, tool servers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the columns that turns and people need for them."""
    _approvals()
    _files()
    _tool_servers()
    op.add_column("person", sa.Column("rules", sa.LargeBinary))
    op.add_column("conversation", sa.Column("rules", sa.LargeBinary))
    op.add_column("conversation", sa.Column("thinking", sa.Text))
    op.add_column("provider", sa.Column("preset", sa.Text))
    op.add_column("provider", sa.Column("fallback_id", sa.Text))


def _approvals() -> None:
    op.create_table(
        "approval",
        sa.Column("turn", sa.BigInteger, sa.ForeignKey("turn.number"), primary_key=True, autoincrement=False),
        sa.Column("idx", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked", sa.LargeBinary, nullable=False),
        sa.Column("arguments", sa.LargeBinary),
        sa.Column("always", sa.Boolean, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("applied", sa.Boolean, nullable=False),
        sa.CheckConstraint("state IN ('requested', 'approved', 'denied', 'expired')", name="approval_state"),
    )
    for name, where in (
        ("approval_open", "state = 'requested'"),
        ("approval_decided", "NOT applied AND state <> 'requested'"),
    ):
        op.create_index(name, "approval", ["expires_at"], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _files() -> None:
    op.create_table(
        "blob",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "file",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner_id", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversation.id")),
        sa.Column("hash", sa.LargeBinary, sa.ForeignKey("blob.hash"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_index("file_conversation", "file", ["conversation_id", "created_at"])
    op.create_index("file_hash", "file", ["hash"])
    loose = sa.text("conversation_id IS NULL")
    op.create_index("file_loose", "file", ["created_at"], sqlite_where=loose, postgresql_where=loose)
    op.create_table(
        "message_file",
        sa.Column("message_id", sa.Text, sa.ForeignKey("message.id"), primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("file_id", sa.Text, sa.ForeignKey("file.id"), nullable=False),
    )
    op.create_index("message_file_file", "message_file", ["file_id"])


def _tool_servers() -> None:
    op.create_table(
        "tool_server",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner_id", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.LargeBinary, nullable=False),
        sa.Column("secrets", sa.LargeBinary),
        sa.Column("trusted", sa.Boolean, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("tools", sa.LargeBinary),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.UniqueConstraint("owner_id", "name", name="tool_server_name"),
        sa.CheckConstraint("kind IN ('stdio', 'http', 'openapi')", name="tool_server_kind"),
    )
