"""The sessions of this gateway's Socket.IO clients, kept so that they can come back anywhere.

What a session is in (its rooms, its user) is in the broker before the client is told of it. How far
it got in each room follows within a second: that need not be newer, because the offset that a
client shows tells whether it has all that was written before (`gateway/api/recovery.py`).
"""

import asyncio
import contextlib
import secrets
from collections.abc import Collection, Mapping
from typing import Final

from gateway.recovery.tracker import MAX_INCARNATIONS, PingCounts, SessionTracker
from gateway.rooms.client import Client
from gateway.rooms.hub import Hub
from shared.broker.rooms.publisher import Publisher
from shared.broker.sessions.sessions import SessionBroker, SessionUpdate, TakenSession
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.model.events import Replaced
from shared.model.sessions import SessionState
from shared.protocol.closes import CloseCode
from shared.telemetry import logger

SAVE_INTERVAL_SECONDS: Final = 1.0
"""Seconds between two looks at what has changed."""

REFRESHES_PER_EXPIRY: Final = 4
"""A session that does not change is kept anew so many times before it would expire."""

MAX_WAITING_SESSIONS: Final = 10_000
"""Sessions of connections that have gone, to be kept once the broker is back."""

log = logger(__name__)


class SessionStore:
    """Keeps sessions in the broker, many in a call.

    Attributes:
        task: looks for changes; at its end those that left are kept.
    """

    def __init__(
        self, broker: SessionBroker, hub: Hub, publisher: Publisher, recovery_seconds: float
    ) -> None:
        self._broker = broker
        self._hub = hub
        self._publisher = publisher
        self._keep = recovery_seconds
        self._kept: dict[Client, SessionTracker] = {}
        self._by_sid: dict[str, SessionTracker] = {}
        # One save at a time, or an older state of a session might end up above a newer one.
        self._lock = asyncio.Lock()
        self._urgent: set[SessionTracker] = set()
        self._batch: asyncio.Task[None] | None = None
        self._last: list[SessionUpdate] = []
        self.task = PeriodicTask(
            self._look, SAVE_INTERVAL_SECONDS, "sessions", at_close=self._save_changes
        )

    def receive(self, word: Replaced) -> None:
        """Take the word of a gateway where a client has come back."""
        kept = self._by_sid.get(word.sid)
        if kept is not None and kept.owner != word.owner:
            self._replaced(kept)

    def chats_subscribed(self, client: Client) -> None:
        """A client begins to hear of its user's chats."""
        if kept := self._kept.get(client):
            kept.chats_subscribed(self._hub)

    async def settle(self, client: Client, acknowledged: Mapping[int, int]) -> None:
        """A client that took a session over is where it was.

        Args:
            client: the client.
            acknowledged: by id of its rooms and chats, up to where its client had them.
        """
        if kept := self._kept.get(client):
            kept.acknowledged |= acknowledged
            kept.settled = True
            await self.try_to_save(client)

    async def open(self, client: Client, ping_counts: PingCounts) -> str:
        """Begin a session; its pid, which is the secret that opens it elsewhere."""
        pid = secrets.token_urlsafe(18)
        self._add(SessionTracker(client, pid, self._incarnations(), ping_counts))
        await self.try_to_save(client)
        return pid

    async def take(self, client: Client, pid: str, ping_counts: PingCounts) -> TakenSession | None:
        """Let a client take over a session; it is not settled yet.

        Raises:
            ChatError: `broker_unavailable`.
        """
        kept = SessionTracker(client, pid, self._incarnations(), ping_counts)
        kept.settled = False
        taken = await self._broker.take(pid, kept.owner, self._keep)
        if taken is None:
            return None
        sid = taken.session.sid
        if before := self._by_sid.get(sid):
            self._replaced(before)
        elif not taken.session.left:
            # Its connection may still look alive to the gateway that has it.
            self._publisher.broadcast(sid, Replaced(sid, kept.owner))
        kept.first_sid = client.connection.sid
        client.take_over(sid, client.username)
        kept.incarnations = (*taken.session.incarnations, *kept.incarnations)[-MAX_INCARNATIONS:]
        kept.saved = taken.session
        self._add(kept)
        return taken

    def give_up(self, client: Client) -> None:
        """A session that was taken over cannot be gone on with: nobody will."""
        if kept := self._kept.get(client):
            self.drop(client, forget=True, left=False)
            client.take_over(kept.first_sid, client.username)

    async def save(self, client: Client) -> None:
        """Keep a session as it is now, before its client is told.

        Raises:
            ChatError: `broker_unavailable`.
        """
        kept = self._kept.get(client)
        if kept is None or not kept.settled:
            return
        self._urgent.add(kept)
        if self._batch is None:
            self._batch = asyncio.create_task(self._save_urgent())
        await asyncio.shield(self._batch)

    async def try_to_save(self, client: Client) -> None:
        """As `save`; where the broker is away, the session is kept as soon as it is back."""
        with contextlib.suppress(ChatError):
            await self.save(client)

    def drop(self, client: Client, *, forget: bool, left: bool) -> None:
        """A client has gone.

        Args:
            client: the client; native ones have nothing to drop.
            forget: its client said goodbye.
            left: the others were told.
        """
        kept = self._kept.pop(client, None)
        if kept is None:
            return
        if self._by_sid.get(client.connection.sid) is kept:
            del self._by_sid[client.connection.sid]
        if kept.replaced or not (kept.settled or forget):
            return
        session = None
        if not forget:
            session = kept.saved if client.connection.fell_behind else None
            session = session or kept.session(self._hub, left=left)
        self._last.append(SessionUpdate(kept.pid, kept.owner, session, self._keep))
        if self._batch is None:
            self._batch = asyncio.create_task(self._save_urgent())

    def _incarnations(self) -> tuple[tuple[str, int], ...]:
        offsets = self._hub.fan_out.offsets
        return ((offsets.incarnation, offsets.count),)

    def _add(self, kept: SessionTracker) -> None:
        kept.client.recovery = kept
        self._kept[kept.client] = kept
        self._by_sid[kept.client.connection.sid] = kept

    def _replaced(self, kept: SessionTracker) -> None:
        connection = kept.client.connection
        kept.replaced = True
        self._kept.pop(kept.client, None)
        if self._by_sid.get(connection.sid) is kept:
            del self._by_sid[connection.sid]
        connection.end(CloseCode.GOING_AWAY)

    async def _look(self) -> None:
        for kept in self._kept.values():
            if kept.settled and not kept.client.connection.dropping:
                kept.check_acknowledged(self._hub)
        await self._save_changes()

    async def _save_changes(self) -> None:
        async with self._lock:
            try:
                await self._save(self._kept.values())
            except ChatError as error:
                log.warning("sessions not kept", count=len(self._kept), code=error.code)

    async def _save_urgent(self) -> None:
        async with self._lock:
            urgent, self._urgent, self._batch = self._urgent, set(), None
            try:
                await self._save(urgent)
            except ChatError as error:
                log.warning("sessions not kept", count=len(urgent), code=error.code)
                raise

    async def _save(self, some: Collection[SessionTracker]) -> None:
        """Save those that changed, and those that were not heard of for long."""
        now = asyncio.get_running_loop().time()
        stale = now - self._keep / REFRESHES_PER_EXPIRY
        changed: list[tuple[SessionTracker, SessionState]] = []
        for kept in some:
            if kept.settled and not kept.client.connection.dropping and not kept.replaced:
                session = kept.session(self._hub)
                if session != kept.saved or kept.saved_at <= stale:
                    changed.append((kept, session))
        last, self._last = self._last, []
        # Kept a refresh longer, so that one that dies has the whole time from its last word on.
        seconds = self._keep * (1 + 1 / REFRESHES_PER_EXPIRY)
        savings = [
            SessionUpdate(kept.pid, kept.owner, session, seconds) for kept, session in changed
        ]
        if not savings and not last:
            return
        try:
            mine = await self._broker.save([*savings, *last])
        except ChatError:
            self._last = (last + self._last)[-MAX_WAITING_SESSIONS:]
            raise
        for (kept, session), is_mine in zip(changed, mine, strict=False):
            if is_mine:
                kept.saved, kept.saved_at = session, now
            else:
                self._replaced(kept)
