"""A room's record in the broker: its words as a room, and what of a room becomes words."""

from collections.abc import Sequence

from shared.broker.transport.resp import Word
from shared.model.events import RoomCreated
from shared.model.rooms import Room
from shared.model.standings import NO_STANDINGS, Standings
from shared.model.timeline import Move

MODERATOR, BANNED, KICKED = "moderator:", "banned:", "kicked:"
"""What fields begin with that go on with a user's name; the publish script writes them too."""


def room_of(key: str, epoch: int, words: Sequence[bytes]) -> Room:
    """The room of a record.

    Args:
        key: the room's.
        epoch: of the partition.
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
        password_seq=int(fields.get("password_seq", 0)),
        standings=_standings(fields),
    )


def new_room(created: RoomCreated, room_id: int, at: int, epoch: int) -> Room:
    """The room that a creation made, by what the broker gave it."""
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


def rules_of(room: Room) -> list[Word]:
    """The fields of a record that say who may what in a room, names and values in turn."""
    standings = room.standings
    words: list[Word] = ["password_seq", room.password_seq]
    for user in standings.moderators:
        words += [f"{MODERATOR}{user}", 1]
    for user in standings.banned:
        words += [f"{BANNED}{user}", 1]
    for user, seq in standings.kicked.items():
        words += [f"{KICKED}{user}", seq]
    return words


def moves_of(words: Sequence[bytes]) -> tuple[Move, ...]:
    """How cursors moved, of four words for each move: user, since, seq, at."""
    fields = iter(words)
    return tuple(
        Move(user.decode(), int(since), int(seq), int(at))
        for user, since, seq, at in zip(fields, fields, fields, fields, strict=True)
    )


def _standings(fields: dict[str, str]) -> Standings:
    named = [name for name in fields if ":" in name]
    if not named:
        return NO_STANDINGS
    return Standings(
        moderators=_users(named, MODERATOR),
        banned=_users(named, BANNED),
        kicked={user: int(fields[KICKED + user]) for user in _users(named, KICKED)},
    )


def _users(names: list[str], prefix: str) -> frozenset[str]:
    return frozenset(name.removeprefix(prefix) for name in names if name.startswith(prefix))
