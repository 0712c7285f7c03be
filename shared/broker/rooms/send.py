"""A send on its way to the broker, and what became of it."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any

import msgspec

from shared.broker.rooms.records import Operation, operations
from shared.codec import encode_body
from shared.model.events import Body
from shared.model.kinds import LogEvent
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from shared.telemetry import logger

log = logger(__name__)


class Accepted(msgspec.Struct, frozen=True):
    """What the broker gave a send; `duplicate` when it was accepted before.

    Attributes:
        created_at: milliseconds since 1970.
        epoch: of the partition when it answered.
    """

    id: int
    seq: int
    created_at: int
    duplicate: bool
    epoch: int


class RoomNotHeld(Exception):
    """The broker does not hold the room: open it from SQL and send again."""


class Send:
    """A send on its way; awaiting it gives what the broker gave it, or raises what it ended with.

    Not a future: whoever asks by `when_done` is told while the broker's answer is read, so that a
    reply leaves in the same write as the event that the broker pushes at that moment.

    Attributes:
        number: its partition's.
        once: what names it once and for all.
        body: encoded.
        effect: what it does to its room's record, beside that the event has a place there.
        retried: it came back once, because the broker did not hold its room.
    """

    __slots__ = ("_outcome", "_watchers", "body", "effect", "number", "once", "retried", "room")

    def __init__(
        self, room: Room, number: int, sender: str, client_msg_id: str, body: Body
    ) -> None:
        self.room = room
        self.number = number
        # The length keeps two names from running together.
        self.once = f"{room.id}:{len(sender)}:{sender}:{client_msg_id}"
        self.body = encode_body(body)
        self.effect: Sequence[Operation] = ()
        if type(body) is not MessagePosted and isinstance(body, LogEvent):
            self.effect = operations(body.changes())
        self.retried = False
        self._outcome: Accepted | Exception | None = None
        self._watchers: list[Callable[[Send], object]] = []

    def __await__(self) -> Generator[Any, None, Accepted]:
        """Wait for the outcome."""
        if self._outcome is None:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def wake(_: Send) -> None:
                if not waiter.done():
                    waiter.set_result(None)

            self.when_done(wake)
            yield from waiter
        return self.result()

    def when_done(self, callback: "Callable[[Send], object]") -> None:
        """Be told of the outcome; at once if it is there."""
        if self._outcome is None:
            self._watchers.append(callback)
        else:
            callback(self)

    def settle(self, outcome: Accepted | Exception) -> None:
        """Say what became of it; the first word stands."""
        if self._outcome is None:
            self._outcome = outcome
            for callback in self._watchers:
                try:
                    callback(self)
                except Exception:  # the sends behind it are others'
                    log.exception("outcome not taken")

    def result(self) -> Accepted:
        """What the broker gave it.

        Raises:
            ChatError: it was refused; or RoomNotHeld.
        """
        if isinstance(self._outcome, Accepted):
            return self._outcome
        raise self._outcome or AssertionError("asked before it is done")
