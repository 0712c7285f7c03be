"""Conversions of a room's record in the broker: to a Room, from a Room, and from changes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shared.broker.transport.resp import Word
from shared.model.changes import (
    SEQ,
    Change,
    Dropped,
    Floor,
    Gone,
    RoomChange,
    StandingChange,
    Value,
)
from shared.model.events import RoomCreated
from shared.model.rooms import STATE, Room
from shared.model.standings import STANDINGS, Standings
from shared.model.timeline import Move

RECORD_FIELD_NAMES: Final = {"password_hash": "password"}
"""Names in the record of the fields that a Room calls differently."""

Operation = tuple[str, str, Word]
"""A change of a record by `publish.lua`: operation, field, value."""


def room_of(key: str, epoch: int, words: Sequence[bytes]) -> Room:
    """Make the room of a record.

    Args:
        key: the room's key.
        epoch: the partition's epoch.
        words: the fields' names and values in turn.
    """
    texts = [word.decode() for word in words]
    fields = dict(zip(texts[::2], texts[1::2], strict=True))
    return Room(
        key=key,
        id=int(fields["id"]),
        kind="direct" if fields["kind"] == "direct" else "room",
        name=fields["name"],
        password_hash=fields["password"],
        creator=fields["creator"],
        created_at=int(fields["created"]),
        head=int(fields["head"]),
        floor=int(fields["floor"]),
        epoch=epoch,
        user1=fields["user1"],
        user2=fields["user2"],
        standings=_standings(fields),
        **{field.name: field.type(fields[field.name]) for field in STATE if field.name in fields},
    )


def new_room(created: RoomCreated, room_id: int, at: int, epoch: int) -> Room:
    """Make the room of a creation, with the id, time and epoch that the broker gave it."""
    return Room(
        key=created.key,
        id=room_id,
        kind=created.kind,
        name=created.name,
        password_hash=created.password_hash,
        creator=created.creator,
        created_at=at,
        head=0,
        floor=0,
        epoch=epoch,
        user1=created.user1,
        user2=created.user2,
    )


def rule_fields(room: Room) -> list[Word]:
    """The fields of a record for a room's state and standings, names and values in turn."""
    words: list[Word] = []
    for field in STATE:
        words += [field.name, getattr(room, field.name)]
    for name, user, value in room.standings.facts():
        words += [_standing_field(name, user), value]
    return words


def operations(changes: Iterable[Change]) -> list[Operation]:
    """The operations of `publish.lua` on a room's record for the changes of an event."""
    found: list[Operation] = []
    for change in changes:
        match change:
            case Floor():
                found.append(("seq", "floor", ""))
            case Gone(seq):
                found.append(("delete", "", seq))
            case Dropped():
                found.append(("drop", "", ""))
            case RoomChange(fields, secret):
                found += [
                    _field_operation(RECORD_FIELD_NAMES.get(n, n), v)
                    for n, v in {**fields, **secret}.items()
                ]
            case StandingChange(user, fields):
                found += [
                    _field_operation(_standing_field(name, user), value)
                    for name, value in fields.items()
                ]
    return found


def read_moves(words: Sequence[bytes]) -> tuple[Move, ...]:
    """Cursor moves, from four words each: user, since, seq, at."""
    fields = iter(words)
    return tuple(
        Move(user.decode(), int(since), int(seq), int(at))
        for user, since, seq, at in zip(fields, fields, fields, fields, strict=True)
    )


def _field_operation(field: str, value: Value) -> Operation:
    if value is SEQ:
        return "seq", field, ""
    if value is False:
        return "unset", field, ""
    return "set", field, 1 if value is True else value


def _standing_field(name: str, user: str) -> str:
    """The record's field of a standing. The name comes first, as a user's name may have colons."""
    return f"{name}:{user}"


def _standings(fields: Mapping[str, str]) -> Standings:
    named = [(*field.partition(":"), value) for field, value in fields.items() if ":" in field]
    return Standings.of((name, user, int(n)) for name, _, user, n in named if name in STANDINGS)
