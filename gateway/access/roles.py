"""Roles of users in rooms, and who may stay in a room."""

from enum import IntEnum

from gateway.access.identity import is_guest
from shared.model.rooms import Room


class Role(IntEnum):
    """A user's role in a room; a higher role includes all rights of the lower ones."""

    STRANGER = 0
    MODERATOR = 1
    OWNER = 2


def owner_of(room: Room, *, verified: bool) -> str | None:
    """Return the owner of a named room; None where nobody owns it.

    A guest's name is a random one that nobody can ever prove again, so guests own nothing. Rooms
    that an older build created have a guest's name as their creator.
    """
    nobody = not room.creator or (verified and is_guest(room.creator))
    return None if nobody or room.kind == "direct" else room.creator


def role_of(user: str | None, room: Room, *, verified: bool) -> Role:
    """Return a user's role in a named room; a plain member is a `STRANGER`.

    Args:
        user: the user's name; None for a client without one, which has no role anywhere.
        room: the room as it is now.
        verified: True if names are proven.
    """
    if room.kind == "direct" or user is None:
        return Role.STRANGER
    if user == owner_of(room, verified=verified):
        return Role.OWNER
    return Role.MODERATOR if user in room.standings.moderators else Role.STRANGER


def is_openly_banned(room: Room, user: str) -> bool:
    """Return True if a user is banned from a room without a password, and so may know of it."""
    return room.kind == "room" and not room.protected and user in room.standings.banned


def may_stay(room: Room, user: str, since: int) -> bool:
    """Return True if a user who was let into a room when its head was `since` may still be in it.

    Example: Bob joins when the head is 10, so his `since` is 10. A kick of Bob is event 11: 11 > 10
    ends his subscription on every gateway, and his grant of that time. Bob joins again and gets
    `since` 11. If a gateway now reads event 11 late from the log, the kick must not end the new
    subscription; that is why it is compared by seq and not only by name.
    """
    standings = room.standings
    return user not in standings.banned and standings.kicked.get(user, 0) <= since
