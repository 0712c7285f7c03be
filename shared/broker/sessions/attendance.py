"""Attendance in the broker: how many connections each user has, in the cluster and in each room."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.broker.transport.resp import Word, pack
from shared.codec import signal
from shared.model.events import Notice

MAX_CHANGES_PER_CALL: Final = 250
"""Changes in one script call, which keeps other callers of the broker waiting."""


class Attendee(NamedTuple):
    """A user in a place.

    Attributes:
        room: the key of the room; empty for the whole cluster.
        name: the user's name, as notices have it.
    """

    room: str
    name: str

    @property
    def field(self) -> str:
        """Its name in the broker's hashes. Neither a key nor a name has a line feed."""
        return f"{self.room}\n{self.name}"


class AttendanceChange(NamedTuple):
    """A change of a gateway's attendees.

    Attributes:
        attendee: a user in a place.
        connections: the connections that the gateway has of it now.
        arrival: published if they are the first ones in the cluster.
        departure: published if the last ones in the cluster have gone.
        at: the time of the change, milliseconds since 1970.
    """

    attendee: Attendee
    connections: int
    arrival: Notice | None = None
    departure: Notice | None = None
    at: int = 0


class AttendanceBroker:
    """Reads and changes attendance, by partition."""

    def __init__(self, pipe: Pipe, keys: Keyspace, fence: Fence) -> None:
        self._pipe = pipe
        self._keys = keys
        self._fence = fence
        self._attend = PipedScript(pipe, "attend")

    @property
    def partitions(self) -> int:
        """The number of partitions."""
        return len(self._keys)

    def channel(self, attendee: Attendee) -> str:
        """Return the channel on which those who may know of an attendee's place listen."""
        part = self._keys[self.number_of(attendee)]
        return part.channel(attendee.room) if attendee.room else part.everyone

    def number_of(self, attendee: Attendee) -> int:
        """Return the partition that has an attendee: its room's, or one by its name."""
        return self._keys.number_of(attendee.room or attendee.name)

    async def change(
        self, number: int, incarnation: str, changes: Sequence[AttendanceChange]
    ) -> list[int]:
        """Change attendees of a gateway, `MAX_CHANGES_PER_CALL` at most.

        Args:
            number: the partition of all of them.
            incarnation: the gateway's incarnation.
            changes: the changes; they may be repeated.

        Returns:
            For each change 1 if the user has come to the place, -1 if they have gone, else 0.

        Raises:
            ChatError: `broker_unavailable`; the changes may have been made.
        """
        part = self._keys[number]
        keys = [part.attendance, part.attendance_of(incarnation), part.attending]
        words: list[Word] = [incarnation]
        for attendee, connections, arrival, departure, at in changes:
            keys.append(self.channel(attendee))
            words += (
                attendee.field,
                connections,
                self._signal(arrival, at),
                self._signal(departure, at),
            )
        with unavailable_as_error():
            answer: list[int] = await self._attend(keys, words)
        return answer

    async def attendees(self, number: int, incarnation: str) -> list[Attendee]:
        """Return a gateway's attendees in a partition.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            fields: list[bytes] = await self._pipe.call(
                pack("HKEYS", self._keys[number].attendance_of(incarnation))
            )
        return [Attendee(*field.decode().split("\n", 1)) for field in fields]

    async def gateways(self, number: int) -> set[str]:
        """Return the incarnations of gateways that have attendees in a partition.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            members: list[bytes] = await self._pipe.call(
                pack("SMEMBERS", self._keys[number].attending)
            )
        return {member.decode() for member in members}

    def _signal(self, notice: Notice | None, at: int) -> bytes:
        return signal(notice, self._fence.signals, at) if notice else b""
