"""An index of the messages that are not deleted, so that pages skip any number of deleted ones.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_VISIBLE = sa.and_(
    sa.column("kind") == sa.literal_column("'message'"), sa.column("deleted").is_(sa.false())
)


def upgrade() -> None:
    """Make it."""
    op.create_index(
        "ix_events_visible",
        "events",
        ["room_id", "seq"],
        sqlite_where=_VISIBLE,
        postgresql_where=_VISIBLE,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_events_visible", "events")
