"""From stream entries to rows, without I/O."""

from collections.abc import Iterable, Sequence

import msgspec

from shared.broker.stream import Entry
from shared.codec import CodecError, decode
from shared.model.events import Event, HistoryCleared, MessagePosted, RoomCreated

Row = dict[str, object]


class Unreadable(Exception):
    """An entry holds no event that can be stored."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries of one partition, in order, and the rows they become.

    Attributes:
        position: the counter of the last entry.
        heads: for each room with events here, by key, the last seq.
        floors: for each room that was cleared, by id, the seq up to which.
    """

    entries: Sequence[Entry]
    position: int
    rooms: list[Row]
    events: list[Row]
    heads: dict[str, int]
    floors: dict[int, int]

    @property
    def created(self) -> list[str]:
        """Keys of the rooms made here."""
        return [str(row["key"]) for row in self.rooms]


def make_batch(entries: Sequence[Entry], epoch: int) -> Batch:
    """The rows of `entries`, at least one.

    Raises:
        Unreadable: an entry is no event that can be stored. A batch of one tells which.
    """
    rooms: list[Row] = []
    events: list[Row] = []
    heads: dict[str, int] = {}
    floors: dict[int, int] = {}
    for entry, event in _read(entries):
        if isinstance(event.body, RoomCreated):
            rooms.append(_room_row(event, event.body, epoch))
            continue
        events.append(event_row(event, epoch))
        heads[entry.room_key] = event.seq
        if isinstance(event.body, HistoryCleared):
            floors[event.room_id] = event.seq
    return Batch(
        entries=entries,
        position=entries[-1].counter,
        rooms=rooms,
        events=events,
        heads=heads,
        floors=floors,
    )


def void_batch(entry: Entry, epoch: int) -> Batch:
    """What stands in for an entry that SQL refuses: a void row at its place, if it has one."""
    events: list[Row] = []
    heads: dict[str, int] = {}
    try:
        event = decode(entry.data)
    except CodecError:
        pass  # nobody can tell which place it had
    else:
        if event.seq:
            events.append(_void_row(event, epoch))
            heads[entry.room_key] = event.seq
    return Batch(
        entries=[entry], position=entry.counter, rooms=[], events=events, heads=heads, floors={}
    )


def event_row(event: Event, epoch: int) -> Row:
    """The row of an event of a room's log.

    Raises:
        Unreadable: it is not one that is stored.
    """
    row = _void_row(event, epoch)
    match event.body:
        case MessagePosted(sender, content, client_msg_id):
            row |= {"kind": "message", "sender": sender, "content": content}
            row |= {"client_msg_id": client_msg_id, "deleted": False}
        case HistoryCleared(by):
            row |= {"kind": "clear", "sender": by, "deleted": False}
        case body:
            raise Unreadable(f"{type(body).__name__} is not stored")
    return row


def _read(entries: Iterable[Entry]) -> Iterable[tuple[Entry, Event]]:
    for entry in entries:
        try:
            yield entry, decode(entry.data)
        except CodecError as error:
            raise Unreadable(str(error)) from None


def _void_row(event: Event, epoch: int) -> Row:
    return {
        "id": event.id,
        "room_id": event.room_id,
        "seq": event.seq,
        "prev": event.prev,
        "kind": "void",
        "sender": None,
        "content": None,
        "client_msg_id": None,
        "deleted": True,
        "created_at": event.created_at,
        "epoch": epoch,
    }


def _room_row(event: Event, created: RoomCreated, epoch: int) -> Row:
    return {
        "id": event.room_id,
        "key": created.key,
        "kind": created.kind,
        "name": created.name,
        "password_hash": created.password_hash,
        "creator": created.creator,
        "created_at": event.created_at,
        "floor": 0,
        "epoch": epoch,
    }
