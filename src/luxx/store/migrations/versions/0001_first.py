"""The first tables: people, providers, conversations, messages, turns and their logs.

Times are RFC 3339 text in UTC with microseconds, so that they compare as text. The rows of a turn (steps, model calls, log) hang on
its number, not its public id: an index over random text would be written all over at every flush. They have no owner of their
own, as they are reached through their turn only. The log has no foreign key: each flush has checked its turns already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _people()
    _conversations()
    _turns()
    _requests()
    _turn_rows()


def _people() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.CheckConstraint("role IN ('owner', 'member')", name="person_role"),
    )
    op.create_table(
        "provider",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner_id", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("base_url", sa.Text),
        sa.Column("default_model", sa.Text),
        sa.Column("api_key", sa.LargeBinary),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.UniqueConstraint("owner_id", "name", name="provider_name"),
        sa.UniqueConstraint("owner_id", "ordinal", name="provider_ordinal"),
    )
    op.create_index(
        "provider_default",
        "provider",
        ["owner_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )


def _conversations() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner_id", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_source", sa.Text, nullable=False),
        sa.Column("system_prompt", sa.Text),
        sa.Column("provider_id", sa.Text, sa.ForeignKey("provider.id", ondelete="SET NULL")),
        sa.Column("model", sa.Text),
        sa.Column("temperature", sa.Double),
        sa.Column("max_tokens", sa.BigInteger),
        sa.Column("tools_enabled", sa.Boolean, nullable=False),
        sa.Column("leaf_id", sa.Text),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("deleted_at", sa.Text),
        sa.CheckConstraint("title_source IN ('auto', 'user')", name="conversation_title_source"),
    )
    present = sa.text("deleted_at IS NULL")
    op.create_index(
        "conversation_activity",
        "conversation",
        ["owner_id", "updated_at", "id"],
        sqlite_where=present,
        postgresql_where=present,
    )
    gone = sa.text("deleted_at IS NOT NULL")
    op.create_index("conversation_deleted", "conversation", ["deleted_at"], sqlite_where=gone, postgresql_where=gone)
    op.create_index("conversation_provider", "conversation", ["provider_id"])
    op.create_table(
        "message",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner_id", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("parent_id", sa.Text),
        sa.Column("ordinal", sa.BigInteger, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.UniqueConstraint("conversation_id", "ordinal", name="message_ordinal"),
        sa.UniqueConstraint("conversation_id", "id", name="message_place"),
        sa.ForeignKeyConstraint(
            ["conversation_id", "parent_id"], ["message.conversation_id", "message.id"], name="message_parent"
        ),
        sa.CheckConstraint("role IN ('user', 'assistant')", name="message_role"),
    )
    op.create_index("message_children", "message", ["conversation_id", "parent_id", "ordinal"])


def _turns() -> None:
    op.create_table(
        "node",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("started_at", sa.Text, nullable=False),
    )
    op.create_table(
        "turn",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("owner_id", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("message_id", sa.Text, sa.ForeignKey("message.id"), nullable=False, unique=True),
        sa.Column("user_message_id", sa.Text, sa.ForeignKey("message.id"), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("node", sa.Text, sa.ForeignKey("node.id", ondelete="SET NULL")),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("cancel", sa.Boolean, nullable=False),
        sa.Column("takeovers", sa.Integer, nullable=False),
        sa.Column("settings", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text),
        sa.Column("finish_reason", sa.Text),
        sa.Column("token_count", sa.BigInteger),
        sa.Column("usage", sa.LargeBinary),
        sa.Column("error_code", sa.Text),
        sa.Column("error_content", sa.Text),
        sa.Column("compacted", sa.Boolean, nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'active', 'waiting', 'done', 'failed', 'cancelled')", name="turn_status"
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (status IN ('queued', 'active', 'waiting'))", name="turn_ended_at"),
    )
    _index_turns()


def _requests() -> None:
    op.create_table(
        "request",
        sa.Column("owner_id", sa.Text, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("client_request_id", sa.Text, primary_key=True),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_index("request_conversation", "request", ["conversation_id"])


def _index_turns() -> None:
    op.create_index("turn_question", "turn", ["user_message_id"])
    for name, column, where in (
        ("turn_unfinished", "status", "ended_at IS NULL"),
        ("turn_node", "node", "node IS NOT NULL"),
        ("turn_hot", "ended_at", "ended_at IS NOT NULL AND NOT compacted"),
    ):
        op.create_index(name, "turn", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index("turn_conversation", "turn", ["conversation_id", "ended_at"])


def _turn_rows() -> None:
    op.create_table(
        "model_call",
        sa.Column("turn", sa.BigInteger, sa.ForeignKey("turn.number"), primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("finish_reason", sa.Text, nullable=False),
        sa.Column("usage", sa.LargeBinary, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "step",
        sa.Column("turn", sa.BigInteger, sa.ForeignKey("turn.number"), primary_key=True, autoincrement=False),
        sa.Column("idx", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("call_n", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("state IN ('running', 'complete', 'failed', 'void')", name="step_state"),
    )
    op.create_table(
        "event",
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary),
        sa.Column("step_index", sa.Integer),
        sa.UniqueConstraint("turn", "seq", name="event_seq"),
        sa.CheckConstraint("(data IS NULL) = (step_index IS NOT NULL)", name="event_data"),
    )
