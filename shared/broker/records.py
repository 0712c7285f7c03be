"""A room's record in the broker: its fields as a room, and what of a room becomes fields."""

from collections.abc import Sequence

from shared.broker.resp import Word
from shared.model.rooms import Room
from shared.model.standings import NO_STANDINGS, Standings

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
