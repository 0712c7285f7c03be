"""The slot of a fair queue that a task works in, and what the task can do with it."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Protocol


class Asker(Protocol):
    """Whoever asks for a slot: a client, or a REST request's user."""

    @property
    def address(self) -> str:
        """The network address."""

    @property
    def rate_subject(self) -> str:
        """The name under which its rates count: of a user, or of the guests of an address."""


class SlotQueue(Protocol):
    """The fair queue of a slot, as the slot knows it."""

    def give_back(self, slot: "Slot") -> None:
        """Give a held slot to the next one."""

    async def wait_for(self, slot: "Slot") -> None:
        """Wait until a slot that nobody holds is given.

        Raises:
            ChatError: `overloaded`.
        """


class Address:
    """An address that has slots, or waits for some.

    Attributes:
        lines: its users.
        ready: those who wait and may have a slot, in the order in which they get one.
        waiting: number of slots that its users wait for.
    """

    __slots__ = ("lines", "name", "ready", "waiting")

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[str, Line] = {}
        self.ready: OrderedDict[Line, None] = OrderedDict()
        self.waiting = 0


class Line:
    """A user of an address: the number of its slots, and those that it waits for, in order."""

    __slots__ = ("address", "held", "user", "waiting")

    def __init__(self, address: Address, user: str) -> None:
        self.address = address
        self.user = user
        self.held = 0
        self.waiting: deque[Slot] = deque()


class Slot:
    """Leave to work, until its holder gives it up.

    Attributes:
        queue: the fair queue it is of.
        address: address of its holder, as rates are counted.
        user: user of the address.
        line: the line it was given to; None while it is not held.
        since: time at which it was given, by the event loop's clock.
        waiter: is done once it is given; None while nobody waits for it.
        ended: True once its holder's work is done.
    """

    __slots__ = ("address", "ended", "line", "queue", "since", "user", "waiter")

    def __init__(self, queue: SlotQueue, address: str, user: str) -> None:
        self.queue = queue
        self.address = address
        self.user = user
        self.line: Line | None = None
        self.since = 0.0
        self.waiter: asyncio.Future[None] | None = None
        self.ended = False

    def give_up(self) -> None:
        """Let the next one work; do nothing if this was done before."""
        if self.line is not None:
            self.queue.give_back(self)

    async def take_again(self) -> None:
        """Wait until it is given again, after all who wait already.

        Raises:
            ChatError: `overloaded`.
        """
        await self.queue.wait_for(self)
        if self.ended:
            self.give_up()


held_slot: ContextVar[Slot | None] = ContextVar("held slot", default=None)
"""The slot that the running task works in."""


@asynccontextmanager
async def without_slot() -> AsyncIterator[None]:
    """Give up the slot that the task works in, if any, while the block waits for something else.

    Otherwise a client that waits for its password to be checked, or that reads slowly, would keep
    others from working. Where the block fails, the task goes on without its slot.

    Raises:
        ChatError: `overloaded`: the slot was not given again.
    """
    slot = held_slot.get()
    if slot is None or slot.line is None:
        yield
        return
    slot.give_up()
    yield
    await slot.take_again()
