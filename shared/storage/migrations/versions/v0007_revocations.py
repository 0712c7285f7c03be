"""The table of revocations: tokens and users that an operator has revoked or disconnected.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "revocations",
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", _KEY, nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("at", _NUMBER, nullable=False),
        sa.Column("before", _NUMBER, nullable=False),
        sa.Column("until", _NUMBER),
        sa.PrimaryKeyConstraint("kind", "subject", name="pk_revocations"),
        sa.UniqueConstraint("number", name="uq_revocations_number"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("revocations")
