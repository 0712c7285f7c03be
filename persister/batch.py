"""Conversion of stream entries to rows, without I/O."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from shared.broker.partitions.partitions import Head
from shared.broker.partitions.rows import Entry
from shared.codec import CodecError, decode
from shared.model.changes import Change, Dropped, Floor, Gone, RoomChange, StandingChange
from shared.model.events import CursorMoved, Event, RoomCreated
from shared.model.kinds import LogEvent
from shared.model.log_events import MessagePosted
from shared.model.rooms import STATE
from shared.names import form_of

Row = dict[str, object]


class EventRow(NamedTuple):
    """A row of the table `events`, with the columns in their order."""

    id: int
    room_id: int
    seq: int
    prev: int
    kind: str
    sender: str | None
    content: str | None
    client_msg_id: str | None
    deleted: bool
    created_at: int
    epoch: int
    target_id: int | None = None
    target_seq: int | None = None
    seen_at: int | None = None
    target_user: str | None = None


class Changed(NamedTuple):
    """A change of a room by its event `seq`."""

    room_id: int
    seq: int
    change: RoomChange | StandingChange


class Unreadable(Exception):
    """An entry has no event that can be stored."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of one partition, in order, and their rows.

    Attributes:
        position: the counter of the last entry.
        heads: the last seq in this batch of each room, by key.
        floors: the new floor of each room that was cleared, by id.
        gone: (room id, seq) of messages that were deleted one by one.
        moves: cursor moves, in order.
        changes: other changes of rooms, in order.
        dropped: ids of rooms that were deleted.
        created: keys of rooms that were created.
    """

    entries: Sequence[Entry]
    position: int
    rooms: list[Row]
    events: list[EventRow]
    heads: dict[str, Head]
    floors: dict[int, int]
    gone: list[Row]
    moves: list[Row]
    changes: list[Changed]
    dropped: list[int]
    created: list[str]

    @property
    def oldest(self) -> int | None:
        """The acceptance time of the first row, milliseconds since 1970; None without rows."""
        if self.events:
            return self.events[0].created_at
        return next((int(str(row["created_at"])) for row in self.rooms), None)


def empty_batch(entry: Entry) -> Batch:
    """Make a batch that moves the position past an entry, without rows."""
    return _new_batch([entry])


def make_batch(entries: Sequence[Entry], epoch: int) -> Batch:
    """Make a batch of at least one entry.

    Raises:
        Unreadable: an entry has no event that can be stored.
    """
    batch = _new_batch(entries)
    for entry, event in _read(entries):
        _add(batch, entry, event, epoch)
    return batch


def void_batch(entry: Entry, epoch: int) -> Batch:
    """Make a batch with a void row in place of an entry that SQL refused, if it has a seq."""
    batch = _new_batch([entry])
    if entry.whole_row:
        return batch  # the seqs of its events are unknown
    try:
        event = decode(entry.data)
    except CodecError:
        return batch  # its seq is unknown
    if event.seq:
        batch.events.append(_row(event, epoch, "void", None, deleted=True))
        batch.heads[entry.room_key] = Head(event.room_id, event.seq)
    return batch


def event_row(event: Event, epoch: int) -> EventRow:
    """Make the row of an event of a room's log.

    Raises:
        Unreadable: events of its kind are not stored.
    """
    body = event.body
    if isinstance(body, MessagePosted):  # first, as nearly all events are messages
        return _row(event, epoch, "message", body.sender, body.content, body.client_msg_id)
    columns = body.row() if isinstance(body, LogEvent) else None
    if columns is None:
        raise Unreadable(f"{type(body).__name__} is not stored")
    return _row(event, epoch, "", None)._replace(**columns)


def furthest(previous: Head | None, head: Head) -> Head:
    """The head of a room that is further, of two in order; of another room, the later one.

    A cursor move has seq 0 and comes after messages: it must not set the head back.
    """
    same = previous is not None and previous.room_id == head.room_id
    return previous if previous and same and previous.seq > head.seq else head


def _read(entries: Iterable[Entry]) -> Iterable[tuple[Entry, Event]]:
    for entry in entries:
        if entry.whole_row:
            raise Unreadable("a row of a format that this build does not read")
        try:
            yield entry, decode(entry.data)
        except CodecError as error:
            raise Unreadable(str(error)) from None


def _new_batch(entries: Sequence[Entry]) -> Batch:
    return Batch(
        entries=entries,
        position=entries[-1].counter,
        rooms=[],
        events=[],
        heads={},
        floors={},
        gone=[],
        moves=[],
        changes=[],
        dropped=[],
        created=[],
    )


def _add(batch: Batch, entry: Entry, event: Event, epoch: int) -> None:
    room, key, body = event.room_id, entry.room_key, event.body
    batch.heads[key] = furthest(batch.heads.get(key), Head(room, event.seq))
    if isinstance(body, MessagePosted):  # first, as nearly all events are messages
        batch.events.append(event_row(event, epoch))
    elif isinstance(body, RoomCreated):
        batch.rooms.append(_room_row(event, body, epoch))
        batch.created.append(body.key)
    elif isinstance(body, CursorMoved):
        batch.moves.append(_move_row(event, body))
    elif isinstance(body, LogEvent):
        if body.stored:
            batch.events.append(event_row(event, epoch))
        for change in body.changes():
            _change(batch, room, key, event.seq, change)
    else:
        raise Unreadable(f"{type(body).__name__} is not stored")


def _change(batch: Batch, room: int, key: str, seq: int, change: Change) -> None:
    match change:
        case Floor():
            batch.floors[room] = seq
        case Gone(place):
            batch.gone.append({"room": room, "place": place})
        case Dropped():
            batch.dropped.append(room)
            for row in batch.rooms:
                if row["id"] == room:  # created and deleted in one batch
                    row |= {"deleted": True, "key": dropped_key(key, room)}
        case _:
            batch.changes.append(Changed(room, seq, change))


def dropped_key(key: str, room_id: int) -> str:
    """The new key of a deleted room, which frees its old key for another room."""
    return f"{key}#{room_id}"


def _move_row(event: Event, move: CursorMoved) -> Row:
    return {
        "room": event.room_id,
        "who": move.user,
        "since": move.since,
        "place": move.seq,
        "moment": event.created_at,
        "direct": move.direct,
    }


def _row(
    event: Event,
    epoch: int,
    kind: str,
    sender: str | None,
    content: str | None = None,
    client_msg_id: str | None = None,
    *,
    deleted: bool = False,
) -> EventRow:
    # fmt: off
    return EventRow(
        event.id, event.room_id, event.seq, event.prev, kind, sender, content, client_msg_id,
        deleted, event.created_at, epoch,
    )
    # fmt: on


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
        "user1": created.user1 or None,
        "user2": created.user2 or None,
        "deleted": False,
        "name_form": form_of(created.name) if created.kind == "room" else "",
        **{field.name: field.default for field in STATE},
    }
