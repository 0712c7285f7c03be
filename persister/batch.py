"""From stream entries to rows, without I/O."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from shared.broker.partitions.partitions import Head
from shared.broker.partitions.rows import Entry
from shared.codec import CodecError, decode
from shared.model.events import (
    Banned,
    Body,
    CursorMoved,
    Event,
    HistoryCleared,
    Kicked,
    MessageDeleted,
    MessagePosted,
    ModeratorChanged,
    PasswordChanged,
    RoomCreated,
    RoomDeleted,
    Unbanned,
)

Row = dict[str, object]


class EventRow(NamedTuple):
    """A row of the table of events: its columns, in their order."""

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


class Unreadable(Exception):
    """An entry holds no event that can be stored."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries of one partition, in order, and the rows they become.

    Attributes:
        position: the counter of the last entry.
        heads: for each room touched here, by key, how far it is stored.
        floors: for each room that was cleared, by id, the seq up to which.
        gone: (room id, seq) of messages deleted one by one.
        moves: cursor moves, in order.
        rules: events that changed who may what in a room, in order.
        dropped: ids of rooms that were deleted.
        created: keys of the rooms made here.
    """

    entries: Sequence[Entry]
    position: int
    rooms: list[Row]
    events: list[EventRow]
    heads: dict[str, Head]
    floors: dict[int, int]
    gone: list[Row]
    moves: list[Row]
    rules: list[Event]
    dropped: list[int]
    created: list[str]

    @property
    def oldest(self) -> int | None:
        """When the first of its rows was accepted, milliseconds since 1970, if it has any."""
        if self.events:
            return self.events[0].created_at
        return next((int(str(row["created_at"])) for row in self.rooms), None)


def empty_batch(entry: Entry) -> Batch:
    """A batch that moves the position past an entry, and nothing else."""
    return _new_batch([entry])


def make_batch(entries: Sequence[Entry], epoch: int) -> Batch:
    """The rows of `entries`, at least one.

    Raises:
        Unreadable: an entry is no event that can be stored. A batch of one tells which.
    """
    batch = _new_batch(entries)
    for entry, event in _read(entries):
        _add(batch, entry, event, epoch)
    return batch


def void_batch(entry: Entry, epoch: int) -> Batch:
    """What stands in for an entry that SQL refuses: a void row at its place, if it has one."""
    batch = _new_batch([entry])
    if entry.whole_row:
        return batch  # nobody can tell which places it had
    try:
        event = decode(entry.data)
    except CodecError:
        return batch  # nobody can tell which place it had
    if event.seq:
        batch.events.append(_row(event, epoch, "void", None, deleted=True))
        batch.heads[entry.room_key] = Head(event.room_id, event.seq)
    return batch


def event_row(event: Event, epoch: int) -> EventRow:
    """The row of an event of a room's log.

    Raises:
        Unreadable: it is not one that is stored.
    """
    match event.body:
        case MessagePosted(sender, content, client_msg_id):
            return _row(event, epoch, "message", sender, content, client_msg_id)
        case HistoryCleared(by):
            return _row(event, epoch, "clear", by)
        case MessageDeleted(by, message_id, message_seq):
            row = _row(event, epoch, "delete", by)
            return row._replace(target_id=message_id, target_seq=message_seq)
        case body:
            kind, by, user = _rule(body)
            return _row(event, epoch, kind, by)._replace(target_user=user)


def furthest(before: Head | None, head: Head) -> Head:
    """How far a room is stored, of two heads that came one after the other."""
    same = before is not None and before.room_id == head.room_id
    return before if before and same and before.seq > head.seq else head


def _rule(body: Body) -> tuple[str, str, str | None]:
    """Of an event that changes who may what: its kind, who did it, and to whom."""
    user: str | None = None
    match body:
        case Kicked(user, by):
            kind = "kick"
        case Banned(user, by):
            kind = "ban"
        case Unbanned(user, by):
            kind = "unban"
        case ModeratorChanged(user, by, moderator):
            kind = "promote" if moderator else "demote"
        case PasswordChanged(by, protected):
            kind = "lock" if protected else "unlock"
        case _:
            raise Unreadable(f"{type(body).__name__} is not stored")
    return kind, by, user


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
        rules=[],
        dropped=[],
        created=[],
    )


def _add(batch: Batch, entry: Entry, event: Event, epoch: int) -> None:
    room, key, body = event.room_id, entry.room_key, event.body
    batch.heads[key] = furthest(batch.heads.get(key), Head(room, event.seq))
    if isinstance(body, RoomCreated):
        batch.rooms.append(_room_row(event, body, epoch))
        batch.created.append(body.key)
    elif isinstance(body, RoomDeleted):
        batch.dropped.append(room)
        for row in batch.rooms:
            if row["id"] == room:  # made and deleted in one batch
                row |= {"deleted": True, "key": dropped_key(key, room)}
    elif isinstance(body, CursorMoved):
        batch.moves.append(_move_row(event, body))
    else:
        batch.events.append(event_row(event, epoch))
        if isinstance(body, HistoryCleared):
            batch.floors[room] = event.seq
        elif isinstance(body, MessageDeleted):
            batch.gone.append({"room": room, "place": body.message_seq})
        elif not isinstance(body, MessagePosted):
            batch.rules.append(event)


def dropped_key(key: str, room_id: int) -> str:
    """The key of a deleted room: it frees the one it had."""
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
        "password_seq": 0,
    }
