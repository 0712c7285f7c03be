"""Rooms, events and partitions.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "meta",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("value", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "partitions",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("epoch", _NUMBER, nullable=False),
        sa.Column("position", _NUMBER, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_partitions"),
    )
    op.create_table(
        "rooms",
        sa.Column("id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("key", _KEY, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("creator", sa.String, nullable=False),
        sa.Column("created_at", _NUMBER, nullable=False),
        sa.Column("floor", _NUMBER, nullable=False),
        sa.Column("epoch", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rooms"),
        sa.UniqueConstraint("key", name="uq_rooms_key"),
    )
    op.create_table(
        "events",
        sa.Column("id", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("room_id", _NUMBER, nullable=False),
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("prev", _NUMBER, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("sender", sa.String),
        sa.Column("content", sa.Text),
        sa.Column("client_msg_id", sa.String),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("created_at", _NUMBER, nullable=False),
        sa.Column("epoch", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("room_id", "seq", name="uq_events_room_id_seq"),
        sa.UniqueConstraint(
            "room_id", "sender", "client_msg_id", name="uq_events_room_id_sender_client_msg_id"
        ),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("events", "rooms", "partitions", "meta"):
        op.drop_table(table)
