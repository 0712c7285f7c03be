"""Departures: the users of dead gateways are counted no more, and announced as disconnected.

A gateway that was killed says nothing of its users. Each gateway notices its silence. One of them
takes its attendees out of the count in the broker, which publishes who is connected nowhere by then
(`attend.lua`): each notice once, whoever else does the same. Users who have connected again through
another gateway are not announced.
"""

import asyncio
import time
from typing import Final

from gateway.cluster.attendance import Attendance
from gateway.cluster.heartbeat import GATEWAY_TIMEOUT_SECONDS, HeartbeatMonitor
from shared.broker.partitions.fence import Fence
from shared.broker.rooms.publisher import Publisher
from shared.broker.sessions.attendance import (
    MAX_CHANGES_PER_CALL,
    AttendanceBroker,
    AttendanceChange,
    Attendee,
)
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.model.events import Notice
from shared.telemetry import logger

LOOK_SECONDS: Final = 0.5

LOOKS_PER_READ: Final = 20
"""Every so many looks the broker is asked which gateways have attendees.

So those are found that died while no other gateway was running.
"""

DECLARATIONS: Final = 2
"""How often a gateway that comes back declares its users.

The second time is for what another gateway, which was about to end them, ended after the first.
"""

log = logger(__name__)


class Departures:
    """Finds dead gateways, and ends the attendance of their users.

    Attributes:
        task: looks for them.
    """

    def __init__(
        self,
        attendance: Attendance,
        broker: AttendanceBroker,
        heartbeat: HeartbeatMonitor,
        publisher: Publisher,
        fence: Fence,
        limit: int,
    ) -> None:
        """Begin with no other gateway known.

        Args:
            attendance: this gateway's own attendees.
            broker: has the attendees of all gateways.
            heartbeat: knows this gateway's incarnation and the cluster's number of connections.
            publisher: publishes notices in rooms.
            fence: the partitions' latest known epochs.
            limit: number of connections of the cluster above which only the users' rooms are told.
        """
        self._attendance = attendance
        self._broker = broker
        self._heartbeat = heartbeat
        self._publisher = publisher
        self._fence = fence
        self._limit = limit
        self._looks = 0
        self._last_beats = heartbeat.last_beats
        self._epochs: tuple[int, ...] = ()
        self._declarations = 0
        heartbeat.on_return = self._returned
        self.task = PeriodicTask(self._look, LOOK_SECONDS, "departures")

    def _returned(self) -> None:
        self._declarations = DECLARATIONS

    async def _look(self) -> None:
        try:
            await self._declare()
            if self._heartbeat.may_judge:
                await self._judge()
        except ChatError as error:
            log.warning("cannot read or change who is here, will retry", code=error.code)

    async def _declare(self) -> None:
        """Declare this gateway's users, if others took it for dead or the broker lost data."""
        epochs = self._fence.epochs
        if self._epochs != epochs:
            self._declarations = max(self._declarations, 1)
        if self._declarations:
            await self._attendance.declare()
            self._declarations -= 1
            self._epochs = epochs

    async def _judge(self) -> None:
        if self._looks % LOOKS_PER_READ == 0:
            await self._read()
        self._looks += 1
        for incarnation in self._expired():
            await self._end(incarnation, self._last_beats[incarnation])
            del self._last_beats[incarnation]

    def _expired(self) -> list[str]:
        """Return the gateways whose end is this one's to tell.

        The living tell it in the order of their names, half a second apart, so that the first has
        done it when the others look. If it dies too, the next one does it.
        """
        silent_for = GATEWAY_TIMEOUT_SECONDS
        alive = sorted(self._heartbeat.gateways)
        silent_for += alive.index(self._heartbeat.incarnation) * LOOK_SECONDS
        oldest = asyncio.get_running_loop().time() - silent_for
        return [incarnation for incarnation, at in self._last_beats.items() if at < oldest]

    async def _read(self) -> None:
        """Read which gateways have attendees; repair the count if it lacks this one."""
        now = asyncio.get_running_loop().time()
        for number in range(self._broker.partitions):
            gateways = await self._broker.gateways(number)
            for incarnation in gateways - {self._heartbeat.incarnation}:
                self._last_beats.setdefault(incarnation, now)
            if self._attendance.is_missing(number, gateways):
                await self._attendance.declare()

    async def _end(self, incarnation: str, last_beat: float) -> None:
        """End the attendance of a dead gateway's users, unless it is heard again meanwhile."""
        to_all = self._heartbeat.connections <= self._limit
        gone: set[str] = set()
        in_rooms: list[Attendee] = []
        for number in range(self._broker.partitions):
            attendees = await self._broker.attendees(number, incarnation)
            for start in range(0, len(attendees), MAX_CHANGES_PER_CALL):
                if self._last_beats[incarnation] != last_beat:
                    return
                batch = attendees[start : start + MAX_CHANGES_PER_CALL]
                gone |= await self._remove(number, incarnation, batch, announce=to_all)
                in_rooms += [attendee for attendee in batch if attendee.room]
        if gone:
            log.info("users of a dead gateway are gone", incarnation=incarnation, count=len(gone))
        if not to_all:
            for attendee in in_rooms:
                if attendee.name in gone:
                    channel, notice = self._broker.channel(attendee), _notice(attendee)
                    self._publisher.signal(channel, notice, created_at=_now())

    async def _remove(
        self, number: int, incarnation: str, attendees: list[Attendee], *, announce: bool
    ) -> set[str]:
        """Take attendees out of the count; return the users who are connected nowhere now."""
        changes = [
            AttendanceChange(
                attendee,
                0,
                departure=_notice(attendee) if announce and not attendee.room else None,
                at=_now(),
            )
            for attendee in attendees
        ]
        answer = await self._broker.change(number, incarnation, changes)
        return {
            attendee.name
            for attendee, change in zip(attendees, answer, strict=True)
            if change < 0 and not attendee.room
        }


def _notice(attendee: Attendee) -> Notice:
    return Notice(f"{attendee.name} disconnected")


def _now() -> int:
    return int(time.time() * 1000)
