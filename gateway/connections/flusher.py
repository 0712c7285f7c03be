"""When outboxes leave: once in each turn of the event loop."""

import asyncio
from typing import Protocol


class Filled(Protocol):
    """An outbox with something in it."""

    def flush(self) -> None:
        """Write what the client takes."""


class Held(Protocol):
    """Frames for several connections that are not in their outboxes yet."""

    def hand_out(self) -> None:
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
        self._filled: list[Filled] = []
        self.held: Held | None = None

    def add(self, filled: Filled) -> None:
        """Flush an outbox when this turn is over."""
        self._filled.append(filled)
        self._schedule()

    def hold(self, held: Held) -> None:
        """Keep something back, until `release` or the end of this turn."""
        self.release()
        self.held = held
        self._schedule()

    def release(self) -> None:
        """Put what is held into the outboxes, if anything is."""
        if self.held is not None:
            held, self.held = self.held, None
            held.hand_out()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self.release()
        self._scheduled = False
        filled, self._filled = self._filled, []
        for outbox in filled:
            outbox.flush()
