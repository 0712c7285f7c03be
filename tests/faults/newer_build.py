"""An invented newer build: it writes format 3, reads 2 and 3, and has a migration that adds.

In format 3 an envelope has one more element, behind its format, and a row of a partition's stream
names the room's record before the envelope. A build of before can make nothing of either.
"""

from typing import Final

from shared.model import formats
from shared.storage.tables import SCHEMA
from tests.faults.sources import Change, NewFile

OLDER_FORMAT: Final = formats.NEWEST
NEWER_FORMAT: Final = formats.NEWEST + 1

PRELUDE: Final = "shared/broker/scripts/prelude.lua"
CODEC: Final = "shared/codec.py"
ROWS: Final = "shared/broker/partitions/rows.py"
TABLES: Final = "shared/storage/tables.py"

HEAD_OF: Final = f"""
local NEWER_HEAD = '>BBBBI8BI8BI8BI8BI8'

local function head_of(format, room_id, id, seq, prev, created_at)
  if format == {NEWER_FORMAT} then
    return struct.pack(NEWER_HEAD,
      152, format, 0, 207, room_id, 207, id, 207, seq, 207, prev, 207, created_at)
  end
"""

READ_HEAD: Final = f"""
local function read_head(head)
  local _, id, seq, prev, at
  if string.byte(head, 2) == {NEWER_FORMAT} then
    _, _, _, _, _, _, id, _, seq, _, prev, _, at = struct.unpack(NEWER_HEAD, head)
    return id, seq, at, prev
  end
"""

BODY_AT: Final = f"""
  if string.byte(event, 2) == {NEWER_FORMAT} then return 49 end
  return 48
"""

ADD_ROW: Final = f"""
  local words = {{...}}
  if format == {NEWER_FORMAT} then
    for i = 1, #words, 2 do words[i], words[i + 1] = words[i + 1], words[i] end
  end
  redis.call('XADD', stream, counter, 'format', format, unpack(words))
"""

CONVERSION: Final = f'''
_NEWER = bytes([0x98, {NEWER_FORMAT}, 0])


def _newer(plain: bytes) -> bytes:
    """An envelope as its format has it."""
    return _NEWER + plain[2:] if plain[1] == _NEWER[1] else plain


def _plain(data: bytes) -> bytes:
    """An envelope of any format as an array of seven."""
    return bytes([0x97, _NEWER[1]]) + data[3:] if data[:3] == _NEWER else data


def encode(event: Event) -> bytes:
'''

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


def upgrade() -> None:
    """Add it."""
    op.add_column("rooms", sa.Column("topic", sa.String))
'''

NEWER_BUILD: Final = (
    Change(
        "shared/model/formats.py",
        f"NEWEST: Final = {OLDER_FORMAT}",
        f"NEWEST: Final = {NEWER_FORMAT}",
    ),
    Change(
        PRELUDE,
        "\nlocal function head_of(format, room_id, id, seq, prev, created_at)\n",
        HEAD_OF,
    ),
    Change(PRELUDE, "\nlocal function read_head(head)\n  local _, id, seq, prev, at\n", READ_HEAD),
    Change(PRELUDE, "\n  return 48\n", BODY_AT),
    Change(PRELUDE, "\n  redis.call('XADD', stream, counter, 'format', format, ...)\n", ADD_ROW),
    Change(CODEC, "\ndef encode(event: Event) -> bytes:\n", CONVERSION),
    Change(CODEC, "return _encoder.encode(event)", "return _newer(_encoder.encode(event))"),
    Change(
        CODEC,
        "    try:\n        event = _decoder",
        "    data = _plain(data)\n    try:\n        event = _decoder",
    ),
    Change(
        ROWS,
        "            return words[2:] if known else None",
        f"""            if int(number) == {NEWER_FORMAT}:
                return [word for n in range(2, len(words), 2) for word in words[n : n + 2][::-1]]
            return words[2:] if known else None""",
    ),
    Change(TABLES, f"SCHEMA: Final = {SCHEMA}", f"SCHEMA: Final = {SCHEMA + 1}"),
    Change(
        TABLES,
        '    Column("password_seq", Number, nullable=False),\n',
        '    Column("password_seq", Number, nullable=False),\n    Column("topic", String),\n',
    ),
    NewFile(f"shared/storage/migrations/versions/v{REVISION}_topics.py", MIGRATION),
)
