"""A room that this gateway follows: delivers its events in order, and fills gaps from the log."""

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
from shared.names import form_of
from shared.telemetry import logger

MAX_READS_PER_GAP: Final = 3
"""Reads of the log for one gap, where pub/sub keeps losing events meanwhile."""

RETRY_SECONDS: Final = 0.5
"""Seconds until the log is read again after a failure."""

GAPS: Final = Counter("gaps", "Times that a room lacked an event which pub/sub did not bring.")
HEALED: Final = Counter("healed_events", "Events that came from a room's log instead.")

log = logger(__name__)


class LocalRoom:
    """A followed room, with its members.

    Attributes:
        room: the room. Its head is that of the moment when following began; other fields, such as
            standings and floor, change with each delivered event.
        form: the form in which the name of a named room compares; empty for a direct chat.
        head: the seq of the last delivered event.
        members: the clients in a named room, or subscribed to a direct chat, with their
            subscriptions.
        synced: done once the log was read after the first subscription of the channel.
        outbox_seq: the last seq that members' outboxes contain, while that is below `head`.
        last_offset_count: the gateway's count of offsets after the last event was delivered.
        last_event_at: time of the last delivered event, by the event loop's clock.
    """

    # Every event names the one before it (`prev`). Example: the head is 41, pub/sub loses 42, and
    # 43 comes with `prev` 42. 42 > 41, so 43 waits, the log is read after 41, and members get 42
    # and 43. To compare seqs (43 is not 41 + 1) would not do: a new epoch opens a room far above
    # its old head, so seqs have holes where no event is. Only `prev` tells them from losses.

    def __init__(
        self,
        room: Room,
        channel: str,
        replay: Replay,
        deliver: Callable[["LocalRoom", Event], None],
        on_loss: Callable[["LocalRoom"], None],
    ) -> None:
        self.room = room
        self.form = form_of(room.name) if room.name else ""
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
        self._on_loss = on_loss
        # Events wait here while the log is read to fill the gap before them.
        self._waiting: list[Event] = []
        self._catching_up: asyncio.Task[None] | None = None
        # True if events may have been lost since the last read of the log began.
        self._stale = False
        self._closed = False

    @property
    def name(self) -> str:
        """The room's name; empty for a direct chat."""
        return self.room.name

    @property
    def is_closed(self) -> bool:
        """True once this gateway does not follow the room any more."""
        return self._closed

    @property
    def has_waiting_members(self) -> bool:
        """True while events wait for a member until earlier ones were sent."""
        return any(subscription.waiting is not None for subscription in self.members.values())

    def refresh(self, room: Room) -> None:
        """Take over the fields that events change, such as standings, from a newer reading."""
        # Not from an older one. Example: a join reads the room at head 10; then a ban (event 11)
        # is delivered here. Taking the reading over would undo the ban on this gateway.
        if room.head >= self.head or room.epoch > self.room.epoch:
            self.room = replace(self.room.with_state_of(room), epoch=room.epoch)

    def recipients(self, event: Event) -> list[Client]:
        """Return the members that get an event now; for others it waits, or they have it."""
        seq = event.seq
        return [
            client
            for client, subscription in self.members.items()
            # The common case is tested first, without a call.
            if (subscription.waiting is None and seq > subscription.caught_up_to)
            or subscription.deliver_or_defer(event)
        ]

    def receive(self, event: Event) -> None:
        """Handle an event of the room's channel: deliver it, or fill the gap before it first."""
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
        """Read the events from the log that may be missing, after a subscription or at a gap."""
        self._stale = True
        if self._catching_up is None and not self._closed:
            self._catching_up = asyncio.create_task(self._fill())

    def rewind(self, seq: int) -> bool:
        """Deliver also the events after `seq` that are older than the following of the room.

        Returns:
            False where later events were delivered already, so that it would break the order.
        """
        if self.head > self.room.head:
            return False
        self.head = seq
        self.room = replace(self.room, head=seq)
        self.catch_up()
        return True

    def close(self) -> None:
        """Stop all delivery."""
        self._closed = True

    def _advance(self, event: Event) -> None:
        # Events of another room id belong to a room that was deleted, or created anew by this name.
        if event.seq > self.head and event.room_id == self.room.id and not self._closed:
            self.last_event_at = self._now()
            if event.prev < self.head:
                # Example: the head is 43, Redis restarts without 42 and 43, and the new epoch sends
                # 5042 with `prev` 41. Members show two messages that do not exist any more, so
                # they get `resume_required` first. Otherwise they would append 5042 below 43.
                self._on_loss(self)
            if type(event.body) is not MessagePosted:  # messages are the common case
                self.room = self.room.after(event)
            # The head moves last: a client whose outbox is full at this event is told `lagged`
            # with the head before it, and resumes from there. With the head moved first it would
            # resume after an event that it never got.
            self._deliver(self, event)
            self.head = event.seq

    async def _fill(self) -> None:
        """Read from the log the events that the channel lost, then deliver those that waited."""
        try:
            for _ in range(MAX_READS_PER_GAP):
                await self._read_log()
                gap = any(event.prev > self.head for event in self._waiting[:1])
                # `_stale` again: the channel was subscribed anew during the read, and may have
                # lost events that this read was too early to see.
                if not gap and not self._stale:
                    break
        except (ChatError, CodecError) as error:
            log.warning(
                "cannot read a room's log, will retry", room=self.room.key, error=str(error)
            )
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.catch_up)
            return
        finally:
            self._catching_up = None
        if not self.synced.done():
            self.synced.set_result(None)
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            # Delivered even if a gap is left: the log does not have those events any more.
            self._advance(event)

    async def _read_log(self) -> None:
        self._stale = False
        at = head = self.head
        while True:
            page = await self._replay.after(self.room, at)
            if self.head < head:
                at = head = self.head
                continue  # `rewind` moved the head back meanwhile: read again from there
            if self.synced.done():
                HEALED.value += len(page.events)
            for event in page.events:
                self._advance(event)
            if not page.more:
                return
            # A page of deleted messages is empty, and moves no head.
            at, head = page.up_to, self.head
