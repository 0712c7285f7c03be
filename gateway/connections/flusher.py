"""When outboxes leave: once in each turn of the event loop."""

import asyncio
from typing import Protocol


class PendingOutbox(Protocol):
    """An outbox with something in it."""

    def flush(self) -> None:
        """Write what the client takes."""


class DeferredFrames(Protocol):
    """Frames for several connections that are not in their outboxes yet."""

    def deliver(self) -> None:
        """Put them there."""


class Flusher:
    """Lets everything that was pushed in one turn of the event loop leave in one write.

    A lone message waits for nothing but the end of the turn; under load a turn has many.

    Attributes:
        held: what goes into outboxes before anything else does, or at the end of the turn.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._filled: list[PendingOutbox] = []
        self.deferred: DeferredFrames | None = None

    def add(self, filled: PendingOutbox) -> None:
        """Flush an outbox when this turn is over."""
        self._filled.append(filled)
        self._schedule()

    def defer(self, deferred: DeferredFrames) -> None:
        """Keep something back, until `release` or the end of this turn."""
        self.release_deferred()
        self.deferred = deferred
        self._schedule()

    def release_deferred(self) -> None:
        """Put what is held into the outboxes, if anything is."""
        if self.deferred is not None:
            deferred, self.deferred = self.deferred, None
            deferred.deliver()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self.release_deferred()
        self._scheduled = False
        filled, self._filled = self._filled, []
        for outbox in filled:
            outbox.flush()
