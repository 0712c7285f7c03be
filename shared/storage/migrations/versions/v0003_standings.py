"""Standings of users in rooms, and the seq of a room's last password change.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add them."""
    op.add_column("rooms", sa.Column("password_seq", _NUMBER, nullable=False, server_default="0"))
    op.add_column("events", sa.Column("target_user", sa.String))
    op.create_table(
        "standings",
        sa.Column("room_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("user", _KEY, nullable=False),
        sa.Column("moderator", sa.Boolean, nullable=False),
        sa.Column("banned", sa.Boolean, nullable=False),
        sa.Column("kicked", _NUMBER, nullable=False),
        sa.Column("seq", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("room_id", "user", name="pk_standings"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("standings")
    op.drop_column("events", "target_user")
    op.drop_column("rooms", "password_seq")
