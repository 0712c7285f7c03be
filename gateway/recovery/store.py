"""Storage of the sessions of this gateway's Socket.IO clients in the broker.

A client can recover its session through any gateway. Its rooms and its user are saved before the
client is told of a change. Otherwise a gateway that crashes after the reply to `joinRoom` would
leave a session without the room, and the client would be recovered into fewer rooms than it shows.

Progress in each room is saved within a second. It need not be newer: the offset that the client
shows tells which later events it has (`gateway/api/recovery.py`).
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
from shared.broker.sessions.sessions import Claimant, SessionBroker, SessionUpdate, TakenSession
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.model.events import Replaced
from shared.model.sessions import SessionState
from shared.protocol.closes import CloseCode
from shared.telemetry import logger

SAVE_INTERVAL_SECONDS: Final = 1.0
"""Seconds between two saves of changed sessions."""

REFRESHES_PER_EXPIRY: Final = 4
"""Number of times that an unchanged session is saved again before it would expire."""

MAX_WAITING_SESSIONS: Final = 10_000
"""Sessions of ended connections that wait to be saved until the broker is back."""

log = logger(__name__)


class SessionStore:
    """Saves sessions in the broker, many in a call.

    Attributes:
        task: saves changed sessions periodically, and once more when it is closed.
    """

    # A session has one owner, the connection that took it last, and the broker refuses saves of
    # any other. Example: a client's connection to gateway 1 hangs, and it recovers through
    # gateway 2, where it joins "den". Gateway 1 does not know yet and saves the session again,
    # without "den". The save names the old owner, so the broker refuses it, and gateway 1 ends the
    # connection. `Replaced` tells gateway 1 sooner, so that the user is not shown twice; but
    # pub/sub may lose it, so it is not what protects the session.

    def __init__(
        self, broker: SessionBroker, hub: Hub, publisher: Publisher, recovery_seconds: float
    ) -> None:
        self._broker = broker
        self._hub = hub
        self._publisher = publisher
        self._keep_seconds = recovery_seconds
        self._trackers: dict[Client, SessionTracker] = {}
        self._by_sid: dict[str, SessionTracker] = {}
        # One save at a time. Otherwise two calls could overtake each other, and an older state of
        # a session would replace a newer one.
        self._lock = asyncio.Lock()
        self._urgent: set[SessionTracker] = set()
        self._batch: asyncio.Task[None] | None = None
        self._ended: list[SessionUpdate] = []
        self.task = PeriodicTask(
            self._check, SAVE_INTERVAL_SECONDS, "sessions", at_close=self._save_changes
        )

    def receive(self, notice: Replaced) -> None:
        """Handle the notice that a session was taken over through another connection."""
        tracker = self._by_sid.get(notice.sid)
        # This gateway gets its own notice too; then the owner is the new connection.
        if tracker is not None and tracker.owner != notice.owner:
            self._end_replaced(tracker)

    def chats_subscribed(self, client: Client) -> None:
        """Note that a client was subscribed to its user's chats."""
        if tracker := self._trackers.get(client):
            tracker.chats_subscribed(self._hub)

    async def settle(self, client: Client, acknowledged: Mapping[int, int]) -> None:
        """Begin to save the session of a client whose recovery is complete.

        Args:
            client: the client that took the session over.
            acknowledged: the last seq that it had before the recovery, by id of rooms and chats.
        """
        if tracker := self._trackers.get(client):
            tracker.acknowledged |= acknowledged
            tracker.settled = True
            await self.try_to_save(client)

    async def open(self, client: Client, ping_counts: PingCounts) -> str:
        """Begin a session and return its pid, the secret by which a client recovers it."""
        pid = secrets.token_urlsafe(18)
        self._add(SessionTracker(client, pid, self._incarnations(), ping_counts))
        await self.try_to_save(client)
        return pid

    async def take(
        self, client: Client, pid: str, claimant: Claimant, ping_counts: PingCounts
    ) -> TakenSession | None:
        """Take a session over for a client; it is not saved before `settle`.

        Returns:
            The session as its last owner saved it; None where there is none that the claimant may
            take. Then nothing has changed.

        Raises:
            ChatError: `broker_unavailable`.
        """
        tracker = SessionTracker(client, pid, self._incarnations(), ping_counts)
        tracker.settled = False
        taken = await self._broker.take(pid, tracker.owner, claimant, self._keep_seconds)
        if taken is None:
            return None
        sid = taken.session.sid
        if previous := self._by_sid.get(sid):
            self._end_replaced(previous)
        elif not taken.session.left:
            # The old connection may still look alive to its gateway.
            self._publisher.broadcast(sid, Replaced(sid, tracker.owner))
        tracker.first_sid = client.connection.sid
        client.take_over(sid, client.username)
        tracker.incarnations = (*taken.session.incarnations, *tracker.incarnations)[
            -MAX_INCARNATIONS:
        ]
        tracker.saved = taken.session
        self._add(tracker)
        return taken

    def give_up(self, client: Client) -> None:
        """Delete a session that was taken over and cannot be recovered."""
        if tracker := self._trackers.get(client):
            self.drop(client, forget=True, left=False)
            client.take_over(tracker.first_sid, client.username)

    async def save(self, client: Client) -> None:
        """Save a client's session as it is now, before the client is told of the change.

        Raises:
            ChatError: `broker_unavailable`.
        """
        tracker = self._trackers.get(client)
        if tracker is None or not tracker.settled:
            return
        self._urgent.add(tracker)
        if self._batch is None:
            self._batch = asyncio.create_task(self._save_urgent())
        await asyncio.shield(self._batch)

    async def try_to_save(self, client: Client) -> None:
        """Save a client's session; if the broker is away, it is saved once the broker is back."""
        with contextlib.suppress(ChatError):
            await self.save(client)

    def drop(self, client: Client, *, forget: bool, left: bool) -> None:
        """Save or delete the session of a client whose connection has ended.

        Args:
            client: a client without a session is ignored.
            forget: True to delete the session, as the client said that it leaves.
            left: True if other clients were told that the client disconnected.
        """
        tracker = self._trackers.pop(client, None)
        if tracker is None:
            return
        if self._by_sid.get(client.connection.sid) is tracker:
            del self._by_sid[client.connection.sid]
        if tracker.replaced or not (tracker.settled or forget):
            return
        session = None
        if not forget:
            # A client that fell behind was not sent all up to the rooms' heads, so its state is
            # that of the last save. The state of now would claim events that it never got.
            session = tracker.saved if client.connection.fell_behind else None
            session = session or tracker.session(self._hub, left=left)
        self._ended.append(SessionUpdate(tracker.pid, tracker.owner, session, self._keep_seconds))
        if self._batch is None:
            self._batch = asyncio.create_task(self._save_urgent())

    def _incarnations(self) -> tuple[tuple[str, int], ...]:
        offsets = self._hub.fan_out.offsets
        return ((offsets.incarnation, offsets.count),)

    def _add(self, tracker: SessionTracker) -> None:
        tracker.client.recovery = tracker
        self._trackers[tracker.client] = tracker
        self._by_sid[tracker.client.connection.sid] = tracker

    def _end_replaced(self, tracker: SessionTracker) -> None:
        """End the connection of a session that another connection has taken over."""
        connection = tracker.client.connection
        tracker.replaced = True
        self._trackers.pop(tracker.client, None)
        if self._by_sid.get(connection.sid) is tracker:
            del self._by_sid[connection.sid]
        connection.end(CloseCode.GOING_AWAY)

    async def _check(self) -> None:
        for tracker in self._trackers.values():
            if tracker.settled and not tracker.client.connection.dropping:
                tracker.check_acknowledged(self._hub)
        await self._save_changes()

    async def _save_changes(self) -> None:
        async with self._lock:
            try:
                await self._save(self._trackers.values())
            except ChatError as error:
                log.warning("cannot save sessions", count=len(self._trackers), code=error.code)

    async def _save_urgent(self) -> None:
        async with self._lock:
            urgent, self._urgent, self._batch = self._urgent, set(), None
            try:
                await self._save(urgent)
            except ChatError as error:
                log.warning("cannot save sessions", count=len(urgent), code=error.code)
                raise

    async def _save(self, trackers: Collection[SessionTracker]) -> None:
        """Save the sessions that changed, those not saved for long, and those that have ended."""
        now = asyncio.get_running_loop().time()
        stale = now - self._keep_seconds / REFRESHES_PER_EXPIRY
        changed: list[tuple[SessionTracker, SessionState]] = []
        for tracker in trackers:
            if tracker.settled and not tracker.client.connection.dropping and not tracker.replaced:
                session = tracker.session(self._hub)
                if session != tracker.saved or tracker.saved_at <= stale:
                    changed.append((tracker, session))
        ended, self._ended = self._ended, []
        # One refresh longer than RECOVERY_SECONDS: if the gateway is killed just before a refresh,
        # the client still has the whole time to come back.
        seconds = self._keep_seconds * (1 + 1 / REFRESHES_PER_EXPIRY)
        updates = [
            SessionUpdate(tracker.pid, tracker.owner, session, seconds)
            for tracker, session in changed
        ]
        if not updates and not ended:
            return
        try:
            accepted = await self._broker.save([*updates, *ended])
        except ChatError:
            self._ended = (ended + self._ended)[-MAX_WAITING_SESSIONS:]
            raise
        for (tracker, session), is_owner in zip(changed, accepted, strict=False):
            if is_owner:
                tracker.saved, tracker.saved_at = session, now
            else:
                self._end_replaced(tracker)
