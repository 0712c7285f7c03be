"""From stream entries to rows, without I/O."""

from collections.abc import Iterable, Sequence

import msgspec

from shared.broker.partitions import Head
from shared.broker.stream import Entry
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
    events: list[Row]
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
        return next((int(str(row["created_at"])) for row in self.events or self.rooms), None)


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
    try:
        event = decode(entry.data)
    except CodecError:
        return batch  # nobody can tell which place it had
    if event.seq:
        batch.events.append(_void_row(event, epoch))
        batch.heads[entry.room_key] = Head(event.room_id, event.seq)
    return batch


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
        case MessageDeleted(by, message_id, message_seq):
            row |= {"kind": "delete", "sender": by, "deleted": False}
            row |= {"target_id": message_id, "target_seq": message_seq}
        case body:
            row |= _rule_fields(body)
    return row


def _rule_fields(body: Body) -> Row:
    """What the row of an event that changes who may what says of it."""
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
    return {"kind": kind, "sender": by, "deleted": False, "target_user": user}


def _read(entries: Iterable[Entry]) -> Iterable[tuple[Entry, Event]]:
    for entry in entries:
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
    room, key = event.room_id, entry.room_key
    before = batch.heads.get(key)
    seq = max(event.seq, before.seq) if before and before.room_id == room else event.seq
    batch.heads[key] = Head(room, seq)
    match event.body:
        case RoomCreated() as created:
            batch.rooms.append(_room_row(event, created, epoch))
            batch.created.append(created.key)
        case RoomDeleted():
            batch.dropped.append(room)
            for row in batch.rooms:
                if row["id"] == room:  # made and deleted in one batch
                    row |= {"deleted": True, "key": dropped_key(key, room)}
        case CursorMoved() as move:
            batch.moves.append(_move_row(event, move))
        case body:
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
        "target_id": None,
        "target_seq": None,
        "seen_at": None,
        "target_user": None,
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
        "user1": created.user1 or None,
        "user2": created.user2 or None,
        "deleted": False,
        "password_seq": 0,
    }
