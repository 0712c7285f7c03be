"""Roles of users in rooms."""

from gateway.access.roles import Role, owner_of, role_of
from shared.model.rooms import Room


def room_of(creator: str) -> Room:
    """A room that somebody made."""
    return Room(
        key="r:general",
        id=1,
        kind="room",
        name="general",
        password_hash="",
        creator=creator,
        created_at=0,
        head=0,
        floor=0,
        epoch=1,
    )


def test_guests_of_older_builds_own_nothing() -> None:
    """A room that a guest made when guests could own rooms has no owner, not that guest either."""
    room = room_of("guest-0123456789ab")
    assert owner_of(room, verified=True) is None
    assert role_of("guest-0123456789ab", room, verified=True) is Role.STRANGER
    # Where names are believed, it is a name like any other.
    assert role_of("guest-0123456789ab", room, verified=False) is Role.OWNER


def test_nobody_owns_a_room_without_creator() -> None:
    """A client without a name, and a request without one, do not own a room that nobody owns."""
    room = room_of("")
    for user in (None, "", "ann"):
        assert role_of(user, room, verified=False) is Role.STRANGER
