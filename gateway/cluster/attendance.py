"""Attendance: who is connected and in which rooms, counted over all gateways.

A user may have several connections, here and on other gateways. Others are told that a user has
come with the first of them, and that they have gone with the last. The broker counts, because no
gateway knows the others' connections at that moment (`attend.lua`).
"""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from gateway.rooms.client import Client
from gateway.rooms.local_room import LocalRoom
from shared.broker.sessions.attendance import (
    MAX_CHANGES_PER_CALL,
    AttendanceBroker,
    AttendanceChange,
    Attendee,
)
from shared.model.events import Notice
from shared.telemetry import logger

RETRY_SECONDS: Final = 0.5

MAX_WAIT_SECONDS: Final = 1.0
"""Seconds that a join or leave waits to be counted. While the broker is away it goes on without."""

log = logger(__name__)

Counted = Callable[[int], None]


class _Pending(NamedTuple):
    """Steps to take when the broker has counted a change.

    Attributes:
        arrival: published if the user has come.
        departure: published if the user has gone.
        counted: called then, with 1 if the user has come, -1 if they have gone, else 0.
        at: the time of the change, milliseconds since 1970.
    """

    arrival: Notice | None = None
    departure: Notice | None = None
    counted: tuple[Counted, ...] = ()
    at: int = 0

    def then(self, later: "_Pending") -> "_Pending":
        """Return what is to happen after this change and a later one, counted together."""
        return _Pending(
            later.arrival or self.arrival,
            later.departure or self.departure,
            self.counted + later.counted,
            later.at or self.at,
        )


_SILENT: Final = _Pending()


class Attendance:
    """This gateway's attendees: the users of its connections, in the cluster and in rooms."""

    def __init__(self, broker: AttendanceBroker, incarnation: str) -> None:
        """Begin with nobody.

        Args:
            broker: counts.
            incarnation: this gateway's incarnation.
        """
        self._broker = broker
        self._incarnation = incarnation
        # What each client counts as, by room key; its name may have changed since.
        self._held: defaultdict[Client, dict[str, Attendee]] = defaultdict(dict)
        self._counts: Counter[Attendee] = Counter()
        # Changes that the broker has not counted yet, by partition.
        self._pending: defaultdict[int, dict[Attendee, _Pending]] = defaultdict(dict)
        self._counting: dict[int, asyncio.Task[None]] = {}
        # Partitions whose last call failed, so that a failure is logged once.
        self._failing: set[int] = set()

    def connected(
        self, client: Client, *, at: int, announce: bool, counted: Callable[[], None]
    ) -> None:
        """Count a connection, and tell all others if it is its user's first one.

        Args:
            client: a client that is logged in, or need not be.
            at: the time of the notice, milliseconds since 1970.
            announce: False to tell nobody.
            counted: called when the broker has counted it.
        """
        notice = Notice(f"{client.display_name} connected", client.connection.sid)
        self._enter(
            client, "", _Pending(notice if announce else None, None, (lambda _: counted(),), at)
        )

    def disconnected(
        self, client: Client, *, announce: bool, on_gone: Callable[[], None] | None = None
    ) -> None:
        """Count a connection no more, in the cluster and in its rooms.

        Args:
            client: a client that is logged in, or need not be.
            announce: True to tell all others, if it was its user's last connection.
            on_gone: called in that case.
        """
        for room in list(self._held.get(client, ())):
            if room:
                self._leave(client, room, _SILENT)
        notice = Notice(f"{client.display_name} disconnected") if announce else None
        counted = (lambda change: change < 0 and on_gone(),) if on_gone else ()
        self._leave(client, "", _Pending(None, notice, counted, _now()))

    async def join(self, client: Client, local: LocalRoom) -> None:
        """Count a connection in a room, and tell the others there if it is its user's first one."""
        notice = Notice(f"{client.display_name} has joined the room", client.connection.sid)
        counted = asyncio.Event()
        pending = _Pending(notice, None, (lambda _: counted.set(),), _now())
        if self._enter(client, local.room.key, pending):
            await _wait(counted)

    async def leave(self, client: Client, local: LocalRoom) -> None:
        """Count a connection in a room no more, and tell the others if it was its user's last."""
        notice = Notice(f"{client.display_name} has left the room", client.connection.sid)
        counted = asyncio.Event()
        pending = _Pending(None, notice, (lambda _: counted.set(),), _now())
        if self._leave(client, local.room.key, pending):
            await _wait(counted)

    def came_back(self, client: Client, local: LocalRoom) -> None:
        """Count a connection that is in a room again after a resume. Nobody is told."""
        self._enter(client, local.room.key, _SILENT)

    def was_put_out(self, client: Client, local: LocalRoom) -> None:
        """Count a connection no more in a room that its user was put out of. Nobody is told."""
        self._leave(client, local.room.key, _SILENT)

    def renamed(self, client: Client) -> None:
        """Count a connection by its new name. Nobody is told."""
        for room in list(self._held.get(client, ())):
            self._leave(client, room, _SILENT)
            self._enter(client, room, _SILENT)

    async def declare(self) -> None:
        """Let the broker count all attendees of this gateway, and no others.

        Needed when the others took this gateway for dead, and when the broker lost data. Users who
        were announced as gone are announced as connected.

        Raises:
            ChatError: `broker_unavailable`.
        """
        known = set(self._counts)
        for number in range(self._broker.partitions):
            known.update(await self._broker.attendees(number, self._incarnation))
        for attendee in known:
            notice = None if attendee.room else Notice(f"{attendee.name} connected")
            self._change(attendee, _Pending(arrival=notice, at=_now()))

    def is_missing(self, number: int, gateways: Collection[str]) -> bool:
        """Return True if this gateway has attendees in a partition whose `gateways` lack it."""
        is_counted = self._incarnation in gateways or number in self._counting
        return not is_counted and any(
            self._broker.number_of(attendee) == number for attendee in self._counts
        )

    async def close(self) -> None:
        """Count no more. The other gateways find what is left (`departures.py`)."""
        tasks = list(self._counting.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _enter(self, client: Client, room: str, pending: _Pending) -> bool:
        """Count a connection in a place; return False if it is counted there."""
        held = self._held[client]
        if room in held:
            return False
        attendee = held[room] = Attendee(room, client.display_name)
        self._counts[attendee] += 1
        self._change(attendee, pending)
        return True

    def _leave(self, client: Client, room: str, pending: _Pending) -> bool:
        """Count a connection in a place no more; return False if it was not counted there."""
        held = self._held.get(client, {})
        attendee = held.pop(room, None)
        if attendee is None:
            return False
        if not held:
            del self._held[client]
        self._counts[attendee] -= 1
        if not self._counts[attendee]:
            del self._counts[attendee]
        self._change(attendee, pending)
        return True

    def _change(self, attendee: Attendee, later: _Pending) -> None:
        """Let the broker count a partition's changes, one call after the other."""
        number = self._broker.number_of(attendee)
        pending = self._pending[number]
        pending[attendee] = pending.get(attendee, _SILENT).then(later)
        if number not in self._counting:
            self._counting[number] = asyncio.create_task(self._count_all(number))

    async def _count_all(self, number: int) -> None:
        waiting = self._pending[number]
        while waiting:
            batch = {each: waiting.pop(each) for each in list(waiting)[:MAX_CHANGES_PER_CALL]}
            try:
                await self._count(number, batch)
            except Exception as error:  # noqa: BLE001 - a change that is lost is a ghost for good
                if number not in self._failing:
                    log.warning("cannot count who is here, will retry", error=str(error))
                    self._failing.add(number)
                for attendee, pending in batch.items():
                    waiting[attendee] = pending.then(waiting.get(attendee, _SILENT))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._failing.discard(number)
        del self._counting[number]

    async def _count(self, number: int, batch: dict[Attendee, _Pending]) -> None:
        changes = [
            AttendanceChange(
                attendee,
                self._counts.get(attendee, 0),
                pending.arrival,
                pending.departure,
                pending.at,
            )
            for attendee, pending in batch.items()
        ]
        answer = await self._broker.change(number, self._incarnation, changes)
        for pending, change in zip(batch.values(), answer, strict=True):
            for counted in pending.counted:
                counted(change)


async def _wait(counted: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MAX_WAIT_SECONDS):
            await counted.wait()


def _now() -> int:
    return int(time.time() * 1000)
