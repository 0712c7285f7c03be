"""A fair queue: a few slots to work in, shared by addresses and, within each, by its users.

Slots are given round-robin: every address that waits gets one before any gets another. An address
has them for its users in the same way, and a user in the order of asking. So a client waits for one
piece of work of each other address, and of each other user of its own, however much they ask for.

Source: J. Nagle, RFC 970, for the order; P. McKenney, Stochastic Fairness Queueing, for who is
refused when too many wait: whoever has the most waiting.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.access.shares.slot import Address, Asker, Line, Slot, held_slot
from shared.addresses import rate_limit_address
from shared.errors import ChatError


class FairQueue:
    """Slots, and all who wait for one.

    Attributes:
        waiting: number of slots that are waited for.
    """

    def __init__(
        self,
        slots: int,
        *,
        max_waiting: int,
        max_waiting_per_address: int | None = None,
        max_waiting_per_user: int | None = None,
        max_slots_per_user: int | None = None,
        max_slot_seconds: float | None = None,
    ) -> None:
        """Begin with all slots free.

        Args:
            slots: pieces of work at a time.
            max_waiting: slots that may be waited for.
            max_waiting_per_address: the same for one address; None for no bound of its own.
            max_waiting_per_user: the same for one user of an address.
            max_slots_per_user: slots that one user of an address may hold; None for all.
            max_slot_seconds: seconds after which a slot goes to the next one, if others wait,
                though the work in it goes on. So work that waits for a server that does not answer
                stops nobody else. None for no bound.
        """
        self._free = slots
        self._max_waiting = max_waiting
        self._max_waiting_per_address = max_waiting_per_address or max_waiting
        self._max_waiting_per_user = max_waiting_per_user or max_waiting
        self._max_slots_per_user = max_slots_per_user or slots
        self._max_slot_seconds = max_slot_seconds
        self._loop = asyncio.get_running_loop()
        self._addresses: dict[str, Address] = {}
        # The addresses with users who wait and may have a slot, in the order of getting one.
        self._ready: OrderedDict[Address, None] = OrderedDict()
        self._held: OrderedDict[Slot, None] = OrderedDict()  # the longest first
        self._timer: asyncio.TimerHandle | None = None
        self.waiting = 0

    @asynccontextmanager
    async def slot(self, asker: Asker) -> AsyncIterator[Slot]:
        """Wait for a slot, and hold it for the block; `without_slot` gives it up meanwhile.

        A task that works in a slot goes on in it.

        Raises:
            ChatError: `overloaded`: too many wait.
        """
        held = held_slot.get()
        if held is not None and held.queue is self and held.line is not None:
            yield held
            return
        slot = await self.take(asker)
        before = held_slot.set(slot)
        try:
            yield slot
        finally:
            held_slot.reset(before)
            slot.ended = True
            slot.give_up()

    async def take(self, asker: Asker) -> Slot:
        """Do the same as `slot`, for work whose end calls `Slot.give_up`."""
        slot = Slot(self, rate_limit_address(asker.address), asker.rate_subject)
        await self.wait_for(slot)
        return slot

    async def wait_for(self, slot: Slot) -> None:
        """Wait until a slot that nobody holds is given; for `Slot` only."""
        line = self._line(slot)
        # While a slot is free, nobody waits who may have it.
        if self._free and line.held < self._max_slots_per_user:
            self._give(slot, line)
            return
        try:
            self._make_room(line)
            await self._wait(slot, line)
        finally:
            self._drop_if_unused(line)

    def give_back(self, slot: Slot) -> None:
        """Give a held slot to the next one; for `Slot` only."""
        line = slot.line
        if line is None:
            return
        slot.line = None
        del self._held[slot]
        line.held -= 1
        self._free += 1
        self._let_be_served(line)
        self._serve()
        self._drop_if_unused(line)

    def _line(self, slot: Slot) -> Line:
        address = self._addresses.get(slot.address)
        if address is None:
            address = self._addresses[slot.address] = Address(slot.address)
        line = address.lines.get(slot.user)
        if line is None:
            line = address.lines[slot.user] = Line(address, slot.user)
        return line

    def _give(self, slot: Slot, line: Line) -> None:
        self._free -= 1
        line.held += 1
        slot.line, slot.since = line, self._loop.time()
        self._held[slot] = None

    def _make_room(self, line: Line) -> None:
        """Refuse one more who waits, or the last one of those who have the most waiting."""
        refusal = ChatError("overloaded", "too many of your requests wait: try again")
        address = line.address
        if (
            len(line.waiting) >= self._max_waiting_per_user
            or address.waiting >= self._max_waiting_per_address
        ):
            raise refusal
        if self.waiting < self._max_waiting:
            return
        longest = max(self._addresses.values(), key=lambda each: each.waiting)
        if longest.waiting <= address.waiting + 1:
            raise refusal
        slot = max(longest.lines.values(), key=lambda each: len(each.waiting)).waiting[-1]
        self._remove(slot)
        if slot.waiter is not None and not slot.waiter.done():
            slot.waiter.set_exception(refusal)

    async def _wait(self, slot: Slot, line: Line) -> None:
        slot.waiter = waiter = self._loop.create_future()
        line.waiting.append(slot)
        line.address.waiting += 1
        self.waiting += 1
        self._let_be_served(line)
        self._watch()
        try:
            await waiter
        except asyncio.CancelledError:
            slot.give_up()  # it may have been given at the same time
            if slot in line.waiting:
                self._remove(slot)
            raise
        finally:
            slot.waiter = None

    def _remove(self, slot: Slot) -> None:
        """Remove one who waits."""
        line = self._line(slot)
        line.waiting.remove(slot)
        line.address.waiting -= 1
        self.waiting -= 1
        if not line.waiting:
            line.address.ready.pop(line, None)
            if not line.address.ready:
                self._ready.pop(line.address, None)

    def _let_be_served(self, line: Line) -> None:
        """Put a user who waits and may have a slot behind the others of its address."""
        if line.waiting and line.held < self._max_slots_per_user:
            line.address.ready.setdefault(line, None)
            self._ready.setdefault(line.address, None)

    def _serve(self) -> None:
        """Give the free slots to those who wait, in their order."""
        while self._free and self._ready:
            address, _ = self._ready.popitem(last=False)
            line, _ = address.ready.popitem(last=False)
            slot = line.waiting.popleft()
            address.waiting -= 1
            self.waiting -= 1
            if slot.waiter is not None and not slot.waiter.done():  # else its task is cancelled
                self._give(slot, line)
                slot.waiter.set_result(None)
            self._let_be_served(line)
            if address.ready:
                self._ready.setdefault(address, None)

    def _drop_if_unused(self, line: Line) -> None:
        address = line.address
        if not line.held and not line.waiting and address.lines.get(line.user) is line:
            del address.lines[line.user]
            if not address.lines:
                del self._addresses[address.name]

    def _watch(self) -> None:
        """Take back the slot that is held for the longest once its time is over."""
        if self._max_slot_seconds is not None and self._timer is None and self._held:
            since = next(iter(self._held)).since
            self._timer = self._loop.call_at(since + self._max_slot_seconds, self._expire)

    def _expire(self) -> None:
        self._timer = None
        expired = self._loop.time() - (self._max_slot_seconds or 0.0)
        while self.waiting and self._held and (slot := next(iter(self._held))).since <= expired:
            slot.give_up()
        if self.waiting:
            self._watch()
