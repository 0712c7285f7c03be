"""A made-up kind of event: what a room is about. Each patch is a step of the recipe."""

from typing import Final

from shared.storage.tables import SCHEMA
from tests.faults.sources import Change, NewFile

REGISTRY: Final = "shared/model/log_events.py"
ROOMS: Final = "shared/model/rooms.py"
TABLES: Final = "shared/storage/tables.py"

KIND: Final = '''

class TopicChanged(LogEvent, frozen=True, tag="topic"):
    """What the room is about is something else from here on."""

    by: UserName
    text: str

    stored = StoredAs({"topic": {}}, {"sender": "by", "content": "text"})
    announced_as = AnnouncedAs(
        "topicChanged", (*LOCATION, "by", "text"), note="There is another topic"
    )

    def changes(self) -> Sequence[Change]:
        """The topic, and since when it is the one."""
        return (RoomChange({"topic": self.text, "topic_seq": SEQ}),)


LOG_EVENTS: Final'''

REVISION: Final = f"{SCHEMA + 1:04}"

MIGRATION: Final = f'''"""What a room is about.

Revision ID: {REVISION}
"""

import sqlalchemy as sa
from alembic import op

revision = "{REVISION}"
down_revision = "{SCHEMA:04}"
branch_labels = None
depends_on = None


_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add it."""
    op.add_column("rooms", sa.Column("topic", sa.String, nullable=False, server_default=""))
    op.add_column("rooms", sa.Column("topic_seq", _NUMBER, nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("rooms", "topic_seq")
    op.drop_column("rooms", "topic")
'''

ENTRY: Final = (
    Change(REGISTRY, "\n\nLOG_EVENTS: Final", KIND),
    Change(REGISTRY, "    PasswordChanged,\n)\n", "    PasswordChanged,\n    TopicChanged,\n)\n"),
)
"""The kind, which is all for one that changes what rooms know already."""

STATE: Final = (
    Change(
        ROOMS,
        "    password_seq: int = 0\n",
        '    password_seq: int = 0\n    topic: str = ""\n    topic_seq: int = 0\n',
    ),
    Change(TABLES, f"SCHEMA: Final = {SCHEMA}", f"SCHEMA: Final = {SCHEMA + 1}"),
    Change(
        TABLES,
        '    Column("password_seq", Number, nullable=False),\n',
        """    Column("password_seq", Number, nullable=False),
    Column("topic", String, nullable=False, server_default=""),
    Column("topic_seq", Number, nullable=False, server_default="0"),
""",
    ),
    NewFile(f"shared/storage/migrations/versions/v{REVISION}_topics.py", MIGRATION),
)
"""What rooms remember of it."""
