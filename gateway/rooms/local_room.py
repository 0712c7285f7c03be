"""A room that this gateway follows: its events in one order, gaps filled from the log."""

import asyncio
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from gateway.rooms.client import Client
from gateway.rooms.store.replay import Replay
from gateway.rooms.subscription import Subscription
from shared.codec import CodecError
from shared.errors import ChatError
from shared.metrics import Counter
from shared.model.events import Event
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from shared.telemetry import logger

MAX_READS_PER_GAP: Final = 3
"""Reads for one gap, where pub/sub keeps losing what comes meanwhile."""

RETRY_SECONDS: Final = 0.5
"""Seconds until a log is read again that could not be read."""

GAPS: Final = Counter("gaps", "Times that a room lacked an event which pub/sub did not bring.")
HEALED: Final = Counter("healed_events", "Events that came from a room's log instead.")

log = logger(__name__)


class LocalRoom:
    """A followed room.

    Attributes:
        room: as it was when it was followed; its head is of then. What events change of it is as
            of the last one that was delivered.
        head: the seq of the last event that was delivered.
        members: those who are in a named room, or hear of a direct chat, and how far they are.
        synced: done once nothing is missed any more.
        outbox_seq: the seq up to which members' outboxes have it all, while that is below `head`.
        told: the count of offsets when its last event was delivered.
        active: when its last event was delivered, by the loop's clock.
    """

    def __init__(
        self,
        room: Room,
        channel: str,
        replay: Replay,
        deliver: Callable[["LocalRoom", Event], None],
        forked: Callable[["LocalRoom"], None],
    ) -> None:
        self.room = room
        self.channel = channel
        self.head = room.head
        self.members: dict[Client, Subscription] = {}
        self.synced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.outbox_seq: int | None = None
        self.last_offset_count = 0
        self._now = asyncio.get_running_loop().time
        self.last_event_at = self._now()
        self._replay = replay
        self._deliver = deliver
        self._forked = forked
        # An event whose predecessor is missing waits here until the log has filled the gap.
        self._waiting: list[Event] = []
        self._catching_up: asyncio.Task[None] | None = None
        # Something was lost after the log was last read, so it must be read again.
        self._stale = False
        self._closed = False

    @property
    def name(self) -> str:
        """The name of a named room."""
        return self.room.name

    @property
    def has_waiting_members(self) -> bool:
        """Whether events wait for a member until what was before them is there."""
        return any(subscription.waiting is not None for subscription in self.members.values())

    def refresh(self, room: Room) -> None:
        """Take over what events change from a word on the room not older than what came."""
        if room.head >= self.head or room.epoch > self.room.epoch:
            self.room = replace(self.room.as_changed_in(room), epoch=room.epoch)

    def recipients(self, event: Event) -> list[Client]:
        """The members that are told of an event now; for others it waits, or it is no news."""
        seq = event.seq
        return [
            client
            for client, subscription in self.members.items()
            # What nearly all are is looked at first.
            if (subscription.waiting is None and seq > subscription.caught_up_to)
            or subscription.deliver_or_defer(event)
        ]

    def receive(self, event: Event) -> None:
        """Take an event from the room's channel: deliver it, or wait for what is before it."""
        if event.seq == 0:
            self._deliver(self, event)
        elif self._catching_up:
            self._waiting.append(event)
        elif not self.synced.done() or event.prev > self.head:
            GAPS.value += self.synced.done()
            self._waiting.append(event)
            self.catch_up()
        else:
            self._advance(event)

    def catch_up(self) -> None:
        """Read from the log what may be missing: after a subscription, and at a gap."""
        self._stale = True
        if self._catching_up is None and not self._closed:
            self._catching_up = asyncio.create_task(self._fill())

    def rewind(self, seq: int) -> bool:
        """Deliver also what came after `seq`, before it was followed; whether that is in order."""
        if self.head > self.room.head:
            return False
        self.head = seq
        self.room = replace(self.room, head=seq)
        self.catch_up()
        return True

    def close(self) -> None:
        """Deliver nothing more."""
        self._closed = True

    def _advance(self, event: Event) -> None:
        # Of a room that was deleted, or made anew under its key, nothing is told here.
        if event.seq > self.head and event.room_id == self.room.id and not self._closed:
            self.last_event_at = self._now()
            if event.prev < self.head:
                # What was delivered above `prev` is lost with the broker's data: say so before
                # anybody takes this for what comes next.
                self._forked(self)
            if type(event.body) is not MessagePosted:  # nearly always one
                self.room = self.room.after(event)
            # The head moves last: who falls behind on this event has all up to the head before.
            self._deliver(self, event)
            self.head = event.seq

    async def _fill(self) -> None:
        """Read from the log what the channel did not bring, then give out what waited."""
        try:
            for _ in range(MAX_READS_PER_GAP):
                await self._read_log()
                gap = any(event.prev > self.head for event in self._waiting[:1])
                if not gap and not self._stale:
                    break
        except (ChatError, CodecError) as error:
            log.warning("room not caught up", room=self.room.key, error=str(error))
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.catch_up)
            return
        finally:
            self._catching_up = None
        if not self.synced.done():
            self.synced.set_result(None)
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            # What the log does not have any more cannot be filled from it.
            self._advance(event)

    async def _read_log(self) -> None:
        self._stale = False
        while True:
            head = self.head
            page = await self._replay.after(self.room, head)
            if self.head < head:
                continue  # it reaches further back now
            if self.synced.done():
                HEALED.value += len(page.events)
            for event in page.events:
                self._advance(event)
            if not page.more:
                return
