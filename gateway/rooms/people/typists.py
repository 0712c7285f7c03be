"""The users that are typing in each room and chat, as this gateway's clients are told."""

import asyncio
from typing import Final

from gateway.protocols.announcements import typing_announcement
from gateway.rooms.client import Client
from gateway.rooms.fan_out import FanOut
from gateway.rooms.local_room import LocalRoom
from shared.model.events import Event, TypingChanged
from shared.protocol.limits import TYPING_SECONDS

MAX_TYPISTS: Final = 10
"""Connections that are shown as typing in one room; others are not until one of these ends."""

EXPIRY_SECONDS: Final = TYPING_SECONDS + 0.3
"""Seconds after a notice of typing at which it ends, if its end does not come before.

The end comes `TYPING_SECONDS` after the last notice, from the typist's gateway. It never comes if
that gateway was killed, or the broker lost it.
"""

FRAME_SECONDS: Final = 0.1
FRAME_SECONDS_PER_MEMBER: Final = 0.0001
MAX_FRAMES_AT_ONCE: Final = 10
"""Typing frames of a room: seconds for each, as a constant and a part for each member, and the
number that may be sent without waiting.

So a member is sent at most 10 a second of a room in the long run, and a room of 1,000 members costs
its gateway at most 5,000. What changes meanwhile is told by one frame.
"""


class _Typist:
    """A connection that is typing.

    Attributes:
        name: its user's name.
        at: time of its last sign, by the event loop's clock.
        number: number of that sign among all of the room. Times can be equal: the loop's clock
            stands still while it handles what has come, and counts milliseconds.
    """

    __slots__ = ("at", "name", "number")

    def __init__(self) -> None:
        self.name = ""
        self.at = 0.0
        self.number = 0


class _Place:
    """A room or chat in which a user types, or has just stopped.

    Attributes:
        local: the room or chat; None for a chat that is not followed here.
        users: the users of a direct chat; empty names for a room.
        typists: by connection id, in the order in which they began.
        signs: number of signs of typing so far.
        changed: ids of the connections whose change is not told yet.
        paid_until: time up to which its frames have used the allowed rate, by the event loop's
            clock.
    """

    __slots__ = ("changed", "local", "paid_until", "signs", "timer", "typists", "users")

    def __init__(self, local: LocalRoom | None = None) -> None:
        self.local = local
        self.users: tuple[str, ...] = ()
        self.typists: dict[str, _Typist] = {}
        self.signs = 0
        self.changed: set[str] = set()
        self.paid_until = 0.0
        self.timer: asyncio.TimerHandle | None = None

    def sign(self, sid: str, name: str, now: float) -> None:
        """Take a sign that a connection is typing."""
        typist = self.typists.setdefault(sid, _Typist())
        self.signs += 1
        typist.name, typist.at, typist.number = name, now, self.signs
        self.changed.add(sid)

    def remove_expired(self, now: float) -> None:
        for sid in [s for s, typist in self.typists.items() if typist.at + EXPIRY_SECONDS <= now]:
            self.remove(sid)

    def remove(self, sid: str) -> None:
        del self.typists[sid]
        self.changed.add(sid)

    def without(self, sid: str) -> tuple[str, list[str]]:
        """Return who typed last and all who type, but for one connection; empty for nobody."""
        others = [typist for other, typist in self.typists.items() if other != sid]
        last = max(others, key=lambda typist: typist.number, default=None)
        return last.name if last else "", list(dict.fromkeys(typist.name for typist in others))


class Typists:
    """Tells this gateway's clients who is typing, and ends what nobody else ends.

    Each gateway ends typing by its own clock. If a typist's gateway is killed, or the broker loses
    the end, "ann is typing..." would otherwise stay on every screen.
    """

    def __init__(self, fan_out: FanOut) -> None:
        self._fan_out = fan_out
        self._loop = asyncio.get_running_loop()
        self._places: dict[int, _Place] = {}

    def receive(self, event: Event, local: LocalRoom | None = None) -> None:
        """Handle a notice of a gateway, this one included.

        Args:
            event: the notice.
            local: its room or chat; None for a chat that is not followed here.
        """
        body = event.body
        if not isinstance(body, TypingChanged):
            raise TypeError("not a notice of typing")
        place = self._places.get(event.room_id)
        if place is None:
            if not body.name:
                return
            place = self._places[event.room_id] = _Place()
        place.local, place.users = local, (body.user1, body.user2)
        if not body.name:
            if body.origin in place.typists:
                place.remove(body.origin)
        elif body.origin in place.typists or len(place.typists) < MAX_TYPISTS:
            place.sign(body.origin, body.name, self._loop.time())
        self._turn(event.room_id, place)

    def message_posted(self, local: LocalRoom, sender: str) -> None:
        """End the typing of a user who has sent a message. It is called for each message."""
        place = self._places.get(local.room.id)
        if place is None:
            return  # the common case
        place.local = local
        for sid in [sid for sid, typist in place.typists.items() if typist.name == sender]:
            place.remove(sid)
        self._turn(local.room.id, place)

    def tell(self, client: Client, local: LocalRoom) -> None:
        """Tell one client who is typing in its room or chat now, or that nobody is."""
        place = self._places.get(local.room.id) or _Place(local)
        self._tell([client], local.room.id, place)

    def _turn(self, room_id: int, place: _Place) -> None:
        """Tell what is due now, and set the timer for what is due next."""
        now = self._loop.time()
        place.remove_expired(now)
        size = len(place.local.members) if place.local else 0
        frame_seconds = FRAME_SECONDS + size * FRAME_SECONDS_PER_MEMBER
        due = place.paid_until - (MAX_FRAMES_AT_ONCE - 1) * frame_seconds
        if place.changed and due <= now:
            place.paid_until = max(place.paid_until, now) + frame_seconds
            # The connection whose typing began, went on or ended is not told of itself.
            itself = place.changed.pop() if len(place.changed) == 1 else None
            place.changed.clear()
            members = self._members(place)
            self._tell([c for c in members if c.connection.sid != itself], room_id, place)
        if place.timer is not None:
            place.timer.cancel()
        if place.changed:
            place.timer = self._loop.call_at(due, self._turn, room_id, place)
        elif place.typists:
            oldest = min(typist.at for typist in place.typists.values())
            place.timer = self._loop.call_at(oldest + EXPIRY_SECONDS, self._turn, room_id, place)
        else:
            del self._places[room_id]

    def _members(self, place: _Place) -> list[Client]:
        """Return the clients that are told; those whose events wait are told once they are live."""
        local = place.local
        if local is None or local.is_closed:
            users = [user for user in place.users if user]
            return list(self._fan_out.subscribers(*users))
        live = []
        for client, subscription in local.members.items():
            if subscription.waiting is None:
                live.append(client)
            else:
                subscription.typing_is_due = True
        return live

    def _tell(self, to: list[Client], room_id: int, place: _Place) -> None:
        """Tell clients who types: those who type themselves of the others, and the rest of all."""
        local = place.local
        offset = self._fan_out.offsets.next(room_id, local.head if local else 0)
        room = local.room if local and local.room.kind == "room" else None
        by_sid = {c.connection.sid: c for c in to if c.connection.sid in place.typists}
        rest = [client for client in to if client.connection.sid not in by_sid]
        for sid, clients in [*((sid, [client]) for sid, client in by_sid.items()), ("", rest)]:
            last, names = place.without(sid)
            told = typing_announcement(last, names, room.name if room else None, room_id, offset)
            self._fan_out.tell(clients, [told])
