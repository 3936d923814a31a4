"""Leases: until when a node may work, and an index of the turns that are free to be claimed.

A node of SQLite has no lease; with PostgreSQL the time is always there, by the database's clock.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the lease, and keep the log's table tidy where rows come and go by the thousand."""
    op.add_column("node", sa.Column("expires", sa.DateTime(timezone=True)))
    free = sa.text("node IS NULL AND status = 'active'")
    op.create_index("turn_free", "turn", ["number"], sqlite_where=free, postgresql_where=free)
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE event SET (autovacuum_vacuum_scale_factor = 0.02)")
