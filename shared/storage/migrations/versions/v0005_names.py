"""The forms in which names of rooms and users compare, and the table of users.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

from shared.storage.forms import fill_rooms, fill_users

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add them, and fill them from what is stored."""
    op.add_column("rooms", sa.Column("name_form", _KEY, nullable=False, server_default=""))
    op.create_index("ix_rooms_kind_name_form", "rooms", ["kind", "name_form"])
    op.create_table(
        "users",
        sa.Column("name", _KEY, nullable=False),
        sa.Column("form", _KEY, nullable=False),
        sa.Column("since", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_index("ix_users_form", "users", ["form"])
    fill_rooms(op.get_bind())
    fill_users(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    op.drop_table("users")
    op.drop_index("ix_rooms_kind_name_form", "rooms")
    op.drop_column("rooms", "name_form")
