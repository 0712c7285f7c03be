"""The format of each partition's epoch in the broker. What there is was written in format 1.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.add_column("partitions", sa.Column("format", sa.Integer, nullable=False, server_default="1"))


def downgrade() -> None:
    """Drop the column, and the identity of the database."""
    op.drop_column("partitions", "format")
    op.execute("DELETE FROM meta WHERE key <> 'partitions'")
