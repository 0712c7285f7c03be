"""Direct chats: whose they are, what was seen, what was deleted.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add them."""
    op.add_column("rooms", sa.Column("user1", _KEY))
    op.add_column("rooms", sa.Column("user2", _KEY))
    op.add_column(
        "rooms", sa.Column("deleted", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.create_index("ix_rooms_user1", "rooms", ["user1"])
    op.create_index("ix_rooms_user2", "rooms", ["user2"])
    for column in ("target_id", "target_seq", "seen_at"):
        op.add_column("events", sa.Column(column, _NUMBER))
    op.create_table(
        "cursors",
        sa.Column("room_id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("user", _KEY, nullable=False),
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("at", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("room_id", "user", name="pk_cursors"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("cursors")
    for column in ("seen_at", "target_seq", "target_id"):
        op.drop_column("events", column)
    op.drop_index("ix_rooms_user2", "rooms")
    op.drop_index("ix_rooms_user1", "rooms")
    for column in ("deleted", "user2", "user1"):
        op.drop_column("rooms", column)
