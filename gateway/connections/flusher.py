"""Writes outboxes to their links once in each turn of the event loop."""

import asyncio
from typing import Protocol


class PendingOutbox(Protocol):
    """An outbox that is not empty."""

    def flush(self) -> None:
        """Write as much as the link takes."""


class DeferredFrames(Protocol):
    """Frames for several connections that are not in their outboxes yet."""

    def deliver(self) -> None:
        """Put the frames into the outboxes."""


class Flusher:
    """Lets everything that was pushed in one turn of the event loop leave in one write.

    A single message waits for nothing but the end of the turn. Under load a turn has many, and
    they share a write.

    Attributes:
        deferred: frames that go into outboxes before any other frame, or at the end of the turn.
    """

    # `deferred` must reach the outboxes before anything that is pushed later. Two examples of what
    # breaks without that:
    # - Message 7 of a room is deferred with offset count 41. A direct message is pushed past it
    #   with count 42, and the connection breaks after that. The client comes back with offset 42,
    #   by which it has everything up to count 42 (`gateway/protocols/offsets.py`): 7 is lost.
    # - Message 7 is deferred for the members of that moment, Bob joins, and 8 comes in the same
    #   turn and is deferred with 7: Bob does not get 8. So whatever changes the members of a room
    #   calls `release_deferred` first (`Hub.admit`, `leave`, `go_live`, `subscribing`).

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._pending: list[PendingOutbox] = []
        self.deferred: DeferredFrames | None = None

    def add(self, outbox: PendingOutbox) -> None:
        """Flush an outbox at the end of this turn."""
        self._pending.append(outbox)
        self._schedule()

    def defer(self, frames: DeferredFrames) -> None:
        """Hold frames back until `release_deferred` or the end of this turn."""
        self.release_deferred()
        self.deferred = frames
        self._schedule()

    def release_deferred(self) -> None:
        """Put the deferred frames into the outboxes, if there are any."""
        if self.deferred is not None:
            frames, self.deferred = self.deferred, None
            frames.deliver()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self.release_deferred()
        self._scheduled = False
        pending, self._pending = self._pending, []
        for outbox in pending:
            outbox.flush()
