"""Search in texts, shares, and what was imported from where.

SQLite: an FTS5 table of trigrams without content of its own (the texts are the messages'), filled beside the hot path: triggers note
in `searchable` what is to be indexed. PostgreSQL: an index of pg_trgm over the texts, where that extension can be had.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the index; with SQLite, old messages are indexed after the start."""
    _shares()
    _imports()
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_search()
    else:
        _postgres_search()


def _shares() -> None:
    op.create_table(
        "share",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner_id", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("include", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_index("share_conversation", "share", ["conversation_id"])


def _imports() -> None:
    op.create_table(
        "imported",
        sa.Column("owner_id", sa.Text, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("source_id", sa.Text, primary_key=True),
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversation.id"), nullable=False),
    )
    op.create_index("imported_conversation", "imported", ["conversation_id"])


def _sqlite_search() -> None:
    op.create_table(
        "searchable",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.Text, nullable=False, unique=True),
        sa.Column("indexed", sa.Boolean, nullable=False),
    )
    op.create_index("searchable_new", "searchable", ["number"], sqlite_where=sa.text("NOT indexed"))
    op.execute(
        "CREATE VIRTUAL TABLE message_search"
        " USING fts5(text, content='', tokenize='trigram', detail='none', columnsize=0)"
    )
    op.execute("""
        CREATE TRIGGER message_said AFTER INSERT ON message WHEN new.text <> '' BEGIN
            INSERT INTO searchable (message_id, indexed) VALUES (new.id, false);
        END
    """)
    op.execute("""
        CREATE TRIGGER message_changed AFTER UPDATE OF text ON message WHEN new.text <> old.text BEGIN
            INSERT INTO message_search (message_search, rowid, text)
                SELECT 'delete', number, old.text FROM searchable WHERE message_id = old.id AND indexed;
            DELETE FROM searchable WHERE message_id = old.id;
            INSERT INTO searchable (message_id, indexed) SELECT new.id, false WHERE new.text <> '';
        END
    """)
    op.execute("""
        CREATE TRIGGER message_gone BEFORE DELETE ON message BEGIN
            INSERT INTO message_search (message_search, rowid, text)
                SELECT 'delete', number, old.text FROM searchable WHERE message_id = old.id AND indexed;
            DELETE FROM searchable WHERE message_id = old.id;
        END
    """)
    op.execute("INSERT INTO searchable (message_id, indexed) SELECT id, false FROM message WHERE text <> ''")


def _postgres_search() -> None:
    """Index the texts as they are compared; without pg_trgm all searches look at every text."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError:
        return
    schema = connection.exec_driver_sql(
        "SELECT quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE extname = 'pg_trgm'"
    ).scalar_one()
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    folded = "casefold(text::text COLLATE pg_unicode_fast)" if version >= 180000 else "lower(text::text)"
    connection.exec_driver_sql(
        f"CREATE INDEX message_search ON message USING gin (({folded}) {schema}.gin_trgm_ops)"
        " WITH (gin_pending_list_limit = 65536)"  # kB: luxx.store.postgres.search_index empties it earlier
    )
