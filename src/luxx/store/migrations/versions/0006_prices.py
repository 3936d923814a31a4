"""What the owner says that the models of a provider cost."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the prices, as JSON by the names of the models; of the providers that are there none is known."""
    op.add_column("provider", sa.Column("prices", sa.LargeBinary))
