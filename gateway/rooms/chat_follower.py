"""Following direct chats: from the first news until well after the last, for users who are here.

A user with thousands of quiet chats costs this gateway nothing. A chat that was quiet for
`wake_after` wakes every gateway by its partition's control channel; those that hold one of its
users follow it from there, and stop following half as long again after its last event.
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
"""What a wake log holds: who missed more looks its users' chats up again."""

RETRY_SECONDS: Final = 0.5

log = logger(__name__)


class ChatFollower:
    """Decides which direct chats this gateway follows.

    Attributes:
        task: lets go of chats that are quiet.
        met: called with both users of each new chat that a client here hears of.
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
        self._follow_for = settings.wake_after * 1.5
        self._channels = {part.control: part.number for part in keys.partitions}
        self._keys = keys
        # The last wake heard of each partition; none before the first subscription.
        self._last: dict[int, int] = {}
        self._healing: dict[int, asyncio.Task[None]] = {}
        # The last wake heard while those before it were still being read.
        self._meanwhile: dict[int, int] = {}
        self._announced: dict[int, None] = {}
        pause = min(SWEEP_INTERVAL_SECONDS, self._follow_for / 4)
        self.on_new_chat: Callable[[str, str], None] = lambda _user1, _user2: None
        self.task = PeriodicTask(self._sweep, pause, "chat follower")

    @property
    def channels(self) -> list[str]:
        """The control channels, which every gateway follows."""
        return list(self._channels)

    def receive(self, channel: str, event: Event) -> None:
        """Take an event from a channel, if it is a control channel."""
        number = self._channels.get(channel)
        if number is None:
            return
        match event.body:
            case Wake():
                if number in self._last:
                    heard = self._meanwhile if number in self._healing else self._last
                    heard[number] = self._wakes.counter(event)
                self._woke(event)
            case (
                CursorMoved(user1=user1, user2=user2) | TypingChanged(user1=user1, user2=user2)
            ) if user1:
                self._hub.fan_out.tell_users(event, user1, user2)

    def subscribed(self, channel: str) -> None:
        """A control channel was subscribed, perhaps afresh: wakes may have been missed."""
        number = self._channels.get(channel)
        if number is not None and number not in self._healing:
            self._healing[number] = asyncio.create_task(self._heal(number))

    async def user_connected(self, user: str) -> list[LocalRoom]:
        """Follow the chats of a user in which something happened lately.

        Returns:
            Those that were not followed before.

        Raises:
            ChatError: `broker_unavailable`.
        """
        fresh = []
        for found in await self._chats.held(user):
            if found.idle < self._follow_for:
                is_fresh = self._hub.followed(found.room.key) is None
                local = self._hub.follow(found.room, found.idle)
                fresh += [local] if is_fresh else []
        return fresh

    def _woke(self, event: Event) -> None:
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
            # From here on: the event that woke it comes through the log if not the channel.
            head=event.prev,
            floor=0,
            epoch=0,
            user1=wake.user1,
            user2=wake.user2,
        )
        self._hub.follow(room)

    def _rewind(self, local: LocalRoom, seq: int) -> None:
        """Tell of what came after `seq` in a chat that was looked up before its wake was heard.

        Whoever was here then was not told. Whoever came after that has it as history, and their
        subscription says so.
        """
        if not local.rewind(seq):
            require_resume([local])

    def _announce_new(self, event: Event, wake: Wake) -> None:
        if event.room_id in self._announced:
            return  # heard before, by the channel or from the log
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
            if number not in self._last:
                self._last[number] = await self._wakes.last(number)
                return
            missed = await self._wakes.since(number, self._last[number], MAX_WAKES)
            understood = [event for event in missed if event is not None]
            for event in understood:
                self._woke(event)
            if len(missed) == MAX_WAKES or None in missed:
                for user in list(self._hub.fan_out.users):
                    # Followed from here on; what was said before that nobody was told.
                    require_resume(await self.user_connected(user))
            # None is read again: a chat of an old one may have been followed and let go since.
            read = [self._wakes.counter(event) for event in understood]
            heard = self._meanwhile.pop(number, 0)
            self._last[number] = max(self._last[number], heard, *read)
        except ChatError as error:
            log.warning("wakes not read", partition=number, code=error.code)
            loop = asyncio.get_running_loop()
            loop.call_later(RETRY_SECONDS, self.subscribed, self._keys[number].control)
        finally:
            del self._healing[number]

    def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        for local in self._hub.followed_rooms():
            if local.room.kind == "direct":
                quiet = (
                    now - local.last_event_at > self._follow_for and not local.has_waiting_members
                )
                if quiet or not local.members:
                    self._hub.unfollow(local)
