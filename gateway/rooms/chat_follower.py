"""Following of active direct chats whose users have clients on this gateway.

A user's quiet chats cost the gateway nothing, however many they are. An event of a chat that was
quiet for `wake_after` is also published as a wake on its partition's control channel, which every
gateway follows. Gateways with a client of one of the two users follow the chat from there. They
stop 1.5 times `wake_after` after its last event.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from gateway.protocols.announcements import Announcement
from gateway.protocols.payloads import ChatPayload, iso, user_out
from gateway.rooms.hub import Hub
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.losses import require_resume
from gateway.rooms.store.chat_list import ChatList
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.wakes import WakeLog
from shared.config import Settings
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.model.events import CursorMoved, Event, TypingChanged, Wake
from shared.model.rooms import Room
from shared.telemetry import logger

SWEEP_INTERVAL_SECONDS: Final = 30.0
MAX_WAKES: Final = 10_000
"""Length of a wake log; a gateway that missed more wakes looks up the chats of its users again."""

RETRY_SECONDS: Final = 0.5

log = logger(__name__)


class ChatFollower:
    """Decides which direct chats this gateway follows.

    Attributes:
        task: stops following quiet chats.
        on_new_chat: called with both users of each new chat that has a subscribed client here.
    """

    def __init__(
        self,
        hub: Hub,
        chats: ChatList,
        wakes: WakeLog,
        keys: Keyspace,
        settings: Settings,
    ) -> None:
        self._hub = hub
        self._chats = chats
        self._wakes = wakes
        # Longer than `wake_after`: a gateway that stops following a chat is sure to be woken by
        # the chat's next event. With a shorter time, an event between the two would be published
        # on the chat's channel only, and the gateway would miss it.
        self._follow_for = settings.wake_after * 1.5
        self._channels = {part.control: part.number for part in keys.partitions}
        self._keys = keys
        # The counter of the last wake of each partition; none before the first subscription.
        self._last_wake: dict[int, int] = {}
        self._healing: dict[int, asyncio.Task[None]] = {}
        # The counter of the last wake that came while missed ones were being read. It must not go
        # into `_last_wake` at once. Example: 5 was the last one, 6 and 7 are missed, and 8 comes
        # during the read. If the read fails, it is retried from `_last_wake`; with 8 there, 6 and
        # 7 would never be read.
        self._wake_while_healing: dict[int, int] = {}
        self._announced: dict[int, None] = {}
        pause = min(SWEEP_INTERVAL_SECONDS, self._follow_for / 4)
        self.on_new_chat: Callable[[str, str], None] = lambda _user1, _user2: None
        self.task = PeriodicTask(self._sweep, pause, "chat follower")

    @property
    def channels(self) -> list[str]:
        """The control channels, which every gateway follows."""
        return list(self._channels)

    def receive(self, channel: str, event: Event) -> None:
        """Handle an event, if its channel is a control channel."""
        number = self._channels.get(channel)
        if number is None:
            return
        match event.body:
            case Wake():
                if number in self._last_wake:
                    healing = number in self._healing
                    last = self._wake_while_healing if healing else self._last_wake
                    last[number] = self._wakes.counter(event)
                self._follow_woken(event)
            case CursorMoved(user1=user1, user2=user2) if user1:
                self._hub.fan_out.tell_users(event, user1, user2)
            case TypingChanged(user1=user1, user2=user2) if user1:
                if self._hub.fan_out.subscribers(user1, user2):
                    self._hub.typists.receive(event)

    def subscribed(self, channel: str) -> None:
        """Read the wakes that may have been missed before a control channel was subscribed."""
        number = self._channels.get(channel)
        if number is not None and number not in self._healing:
            self._healing[number] = asyncio.create_task(self._heal(number))

    async def user_connected(self, user: str) -> list[LocalRoom]:
        """Follow the chats of a user that had an event lately.

        Returns:
            The chats that were not followed before.

        Raises:
            ChatError: `broker_unavailable`.
        """
        newly_followed = []
        for held in await self._chats.held(user):
            if held.idle < self._follow_for:
                is_new = self._hub.followed(held.room.key) is None
                local = self._hub.follow(held.room, held.idle)
                newly_followed += [local] if is_new else []
        return newly_followed

    def _follow_woken(self, event: Event) -> None:
        wake = event.body
        if not isinstance(wake, Wake) or not self._hub.fan_out.subscribers(wake.user1, wake.user2):
            return
        if wake.created:
            self._announce_new(event, wake)
        local = self._hub.followed(wake.key)
        if local is not None and local.room.id == event.room_id:
            if 0 < event.seq <= local.room.head:
                self._rewind(local, event.prev)
            return
        room = Room(
            key=wake.key,
            id=event.room_id,
            kind="direct",
            name="",
            password_hash="",
            creator="",
            created_at=event.created_at,
            # The event before the one that woke the chat, so that the latter is delivered too: it
            # was published before this gateway subscribed to the chat, and comes from the log.
            head=event.prev,
            floor=0,
            epoch=0,
            user1=wake.user1,
            user2=wake.user2,
        )
        self._hub.follow(room)

    def _rewind(self, local: LocalRoom, seq: int) -> None:
        """Deliver the events after `seq` in a chat that was followed between an event and its wake.

        Example: event 8 wakes a chat. Before the wake arrives, a client of Bob connects here, and
        the chat is looked up and followed from head 8. Ann's client, which was here before, did
        not get 8, so delivery starts again from 7. For Bob's client 8 is history, and its
        subscription is caught up to 8.
        """
        if not local.rewind(seq):
            require_resume([local])

    def _announce_new(self, event: Event, wake: Wake) -> None:
        if event.room_id in self._announced:
            return  # announced already: a wake can come by the channel and from the log
        if len(self._announced) >= MAX_WAKES:
            del self._announced[next(iter(self._announced))]
        self._announced[event.room_id] = None
        self.on_new_chat(wake.user1, wake.user2)
        users = (user_out(wake.user1), user_out(wake.user2))
        payload = ChatPayload(event.room_id, *users, iso(event.created_at))
        to = self._hub.fan_out.subscribers(wake.user1, wake.user2)
        self._hub.fan_out.tell(to, [Announcement("newChat", payload)])

    async def _heal(self, number: int) -> None:
        try:
            if number not in self._last_wake:
                self._last_wake[number] = await self._wakes.last(number)
                return
            missed = await self._wakes.since(number, self._last_wake[number], MAX_WAKES)
            understood = [event for event in missed if event is not None]
            for event in understood:
                self._follow_woken(event)
            if len(missed) == MAX_WAKES or None in missed:
                for user in list(self._hub.fan_out.users):
                    # These chats are followed from their heads on. Messages before that reached
                    # no client here, so the clients have to resume.
                    require_resume(await self.user_connected(user))
            # Only forward. A wake that is read twice could make the gateway follow a chat again
            # that it has stopped following since, from an old head.
            read = [self._wakes.counter(event) for event in understood]
            last = self._wake_while_healing.pop(number, 0)
            self._last_wake[number] = max(self._last_wake[number], last, *read)
        except ChatError as error:
            log.warning("cannot read wakes, will retry", partition=number, code=error.code)
            loop = asyncio.get_running_loop()
            loop.call_later(RETRY_SECONDS, self.subscribed, self._keys[number].control)
        finally:
            del self._healing[number]

    def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        for local in self._hub.followed_rooms():
            if local.room.kind == "direct":
                # A chat whose events wait for a member stays: unfollowed, it would lose them.
                quiet = (
                    now - local.last_event_at > self._follow_for and not local.has_waiting_members
                )
                if quiet or not local.members:
                    self._hub.unfollow(local)
