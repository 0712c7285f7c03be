"""The history of a run: all operations and received events, by one monotonic clock."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Outcome = Literal["pending", "ok", "failed", "unknown"]
"""Invoked, answered, refused, or nobody knows: the connection ended or time ran out."""

now = time.monotonic


@dataclass(slots=True, eq=False)
class Operation:
    """One request of a client.

    Attributes:
        kind: send, seen, history, delete, clear, typing or away.
        place: the room or chat, by a name that lasts for the run.
        key: of a send its clientMsgId; of a deletion the id of the message.
        seq: of an accepted send its place; of a seen mark, how far.
        id: the id that an accepted send was given.
        items: of a history, (seq, id, key, deleted) of each message, oldest first.
        covers: of a history, the lowest and the highest seq of which it has all messages.
        partial: of a history, it was said that more may belong to it.
        error: the code of a refusal.
    """

    kind: str
    user: str
    place: str
    key: str
    invoked: float
    ended: float = 0.0
    outcome: Outcome = "pending"
    seq: int = 0
    id: int = 0
    items: list["Item"] = field(default_factory=list)
    covers: tuple[int, int] = (0, 0)
    partial: bool = False
    error: str = ""


class Item(NamedTuple):
    """A message of a history."""

    seq: int
    id: int
    key: str
    deleted: bool


class Delivery(NamedTuple):
    """An event of a place that a client received.

    Attributes:
        kind: `message`, `deleted` (key is the id of the message), `cleared`, or `reset`: the
            client let go of all it had, and goes on after `seq`.
        source: `live` for what comes by itself and by a resume, `again` for what comes by a
            resume that was asked once more, `history` for what was asked for.
    """

    at: float
    user: str
    place: str
    kind: Literal["message", "deleted", "cleared", "reset"]
    seq: int
    id: int
    key: str
    source: Literal["live", "again", "history"] = "live"


class SeenTold(NamedTuple):
    """A seen mark that a client received."""

    at: float
    observer: str
    user: str
    place: str
    seq: int


class Doubt(NamedTuple):
    """A client's events of a place may be lost: it reconnects, or was told to resume."""

    at: float
    user: str
    place: str


class Word(NamedTuple):
    """A client's report of a durable message."""

    at: float
    user: str
    place: str
    key: str
    seq: int


@dataclass(eq=False)
class History:
    """All operations and events of a run.

    Attributes:
        connected: (when, how many clients are connected and caught up).
        online: who each client was told is online, last.
        failures: of the suite's own tasks; a run with any says nothing.
    """

    operations: list[Operation] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    seen: list[SeenTold] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    connected: list[tuple[float, int]] = field(default_factory=list)
    online: dict[str, frozenset[str]] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    _pending: set[Operation] = field(default_factory=set)
    _begun: asyncio.Event = field(default_factory=asyncio.Event)

    def __getstate__(self) -> dict[str, Any]:
        """The state to save: everything that does not belong to the event loop."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def begin(self, kind: str, user: str, place: str, key: str = "", seq: int = 0) -> Operation:
        """Note the begin of an operation."""
        operation = Operation(kind, user, place, key, now(), seq=seq)
        self.operations.append(operation)
        self._pending.add(operation)
        self._begun.set()
        return operation

    def end(self, operation: Operation, outcome: Outcome, error: str = "", **found: Any) -> None:  # noqa: ANN401 - fields of an operation
        """Note the end and the outcome of an operation."""
        operation.ended, operation.outcome, operation.error = now(), outcome, error
        for name, value in found.items():
            setattr(operation, name, value)
        self._pending.discard(operation)

    def close(self) -> None:
        """Give the outcome "unknown" to operations that still wait."""
        for operation in list(self._pending):
            self.end(operation, "unknown", "the run ended")

    async def in_flight(self) -> None:
        """Wait until a send is on its way. It is when this returns, if nothing is awaited."""
        while not any(operation.kind == "send" for operation in self._pending):
            self._begun.clear()
            await self._begun.wait()

    def hit(self, begun: float, over: float) -> int:
        """The number of operations that were under way at some moment between two times."""
        return sum(
            operation.invoked <= over
            and (operation.outcome == "pending" or operation.ended >= begun)
            for operation in self.operations
        )
