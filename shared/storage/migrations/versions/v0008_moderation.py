"""An index of the events of moderation, so that their list does not read a room's messages.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KINDS = "('kick','ban','unban','promote','demote','lock','unlock','delete','clear')"
_MODERATION = sa.text(f"kind IN {_KINDS}")


def upgrade() -> None:
    """Make it."""
    op.create_index(
        "ix_events_moderation",
        "events",
        ["room_id", "seq"],
        sqlite_where=_MODERATION,
        postgresql_where=_MODERATION,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_events_moderation", "events")
