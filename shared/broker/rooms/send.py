"""A send: an event on its way to the broker, and its outcome."""

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
    """The broker's answer to an accepted send.

    Attributes:
        created_at: milliseconds since 1970.
        duplicate: the send was accepted before; the numbers are those of the first time.
        epoch: the partition's epoch at the time of the answer.
    """

    id: int
    seq: int
    created_at: int
    duplicate: bool
    epoch: int


class RoomNotHeld(Exception):
    """The broker does not hold the room. Open the room from SQL and send again."""


class Send:
    """A send on its way to the broker. Awaiting it returns Accepted or raises its error.

    It is no future: callbacks of `when_done` run while the broker's answer is read. So the reply
    to the sender leaves in the same write as the event, which the broker pushes at that moment.

    Attributes:
        number: the number of its partition.
        once: its idempotency key: room id, sender and clientMsgId.
        body: the encoded body of the event.
        effect: operations on the room's record; empty for a message.
        retried: the broker did not hold its room once, and it was sent again.
    """

    __slots__ = ("_outcome", "_watchers", "body", "effect", "number", "once", "retried", "room")

    def __init__(
        self, room: Room, number: int, sender: str, client_msg_id: str, body: Body
    ) -> None:
        self.room = room
        self.number = number
        # With the length, sender `a:b` with id `c` differs from sender `a` with id `b:c`.
        self.once = f"{room.id}:{len(sender)}:{sender}:{client_msg_id}"
        self.body = encode_body(body)
        self.effect: Sequence[Operation] = ()
        if type(body) is not MessagePosted and isinstance(body, LogEvent):
            self.effect = operations(body.changes())
        self.retried = False
        self._outcome: Accepted | Exception | None = None
        self._watchers: list[Callable[[Send], object]] = []

    def __await__(self) -> Generator[Any, None, Accepted]:
        """Wait for the outcome; see `result`."""
        if self._outcome is None:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def wake(_: Send) -> None:
                if not waiter.done():
                    waiter.set_result(None)

            self.when_done(wake)
            yield from waiter
        return self.result()

    def when_done(self, callback: "Callable[[Send], object]") -> None:
        """Call `callback` with this send when it has an outcome; at once if it has one."""
        if self._outcome is None:
            self._watchers.append(callback)
        else:
            callback(self)

    def settle(self, outcome: Accepted | Exception) -> None:
        """Set the outcome and run the callbacks. Only the first call has an effect."""
        if self._outcome is None:
            self._outcome = outcome
            for callback in self._watchers:
                try:
                    callback(self)
                except Exception:  # the next sends belong to other clients
                    log.exception("a callback of a send failed")

    def result(self) -> Accepted:
        """Return the broker's answer.

        Raises:
            ChatError: the send was refused.
            RoomNotHeld: the broker does not hold the room.
        """
        if isinstance(self._outcome, Accepted):
            return self._outcome
        raise self._outcome or AssertionError("asked before it is done")
