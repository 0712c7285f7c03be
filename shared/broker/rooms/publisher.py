"""The publisher: passes the sends of a turn to the broker, in one script call a partition."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
)

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace, PartitionKeys
from shared.broker.rooms.send import Accepted, RoomNotHeld, Send
from shared.broker.transport.client import UNAVAILABLE
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.broker.transport.resp import Word, pack
from shared.codec import signal
from shared.config import Settings
from shared.errors import ChatError, broker_unavailable
from shared.metrics import LATENCIES, SIZES, Counter, Histogram
from shared.model.events import Body
from shared.model.rooms import Room
from shared.telemetry import logger

MAX_SENDS_PER_CALL: Final = 256
"""Sends in one call, so that the server's other clients wait for 5 ms at the most."""

ACCEPTED: Final = Counter("sends_accepted", "Sends that the broker accepted.")
DUPLICATES: Final = Counter("sends_duplicate", "Sends that were accepted before.")
SECONDS: Final = Histogram("publish_seconds", "How long a call of publish took.", LATENCIES)
SHARING: Final = Histogram("publish_sends", "Sends that shared a call of publish.", SIZES)

DUPLICATE: Final = 1
ABSENT: Final = 2
OVERLOADED: Final = 4
"""Statuses in the answer of `publish.lua`, beside 0 (accepted) and 3 (the room is gone)."""

log = logger(__name__)


class Publisher:
    """Collects sends and signals and passes them to the broker.

    A partition has one call under way at a time; sends that arrive meanwhile go with the next call.
    So sends keep their order, and the higher the load, the more sends share one call and one fsync.
    With two calls under way a retry could change the order: call 1 (send A) fails with its
    connection, call 2 (send B) succeeds on the next one, and the retry of call 1 gives A a seq
    above B's, although A was sent first.

    Attributes:
        on_rooms_not_held: takes the sends of a call whose rooms the broker does not hold. By
            default they fail with RoomNotHeld.
        lines: queues of sends to rooms that are being opened, by key, in order. The code that adds
            a queue also removes it, and submits its sends.
    """

    def __init__(self, pipe: Pipe, keys: Keyspace, fence: Fence, settings: Settings) -> None:
        self._pipe = pipe
        self._keys = keys
        self._fence = fence
        self._limits = [
            settings.backlog_of(len(keys)),
            int(settings.dedupe_minutes * 60_000),
            int(settings.wake_after * 1000),
        ]
        self._script = PipedScript(pipe, "publish")
        self._waiting: defaultdict[int, deque[Send]] = defaultdict(deque)
        # Partitions with a call under way, or with one that begins at the end of this turn.
        self._busy: set[int] = set()
        self._begun: list[int] = []
        self._idle: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_rooms_not_held: Callable[[Sequence[Send]], None] = _not_held
        self.lines: dict[str, list[Send]] = {}

    def send(self, room: Room, sender: str, client_msg_id: str, body: Body) -> Send:
        """Send an event to a room; the order of the calls is the order in the room.

        Awaiting the returned Send raises ChatError (`broker_unavailable`, `overloaded`, `not_found`
        for a deleted room) or RoomNotHeld if it is not accepted.
        """
        send = Send(room, self._keys.number_of(room.key), sender, client_msg_id, body)
        if line := self.lines.get(room.key):
            line.append(send)
        else:
            self.submit(send)
        return send

    def submit(self, send: Send) -> None:
        """Queue a send for the broker, behind all that were submitted before."""
        number = send.number
        self._waiting[number].append(send)
        if number not in self._busy:
            self._busy.add(number)
            if not self._begun:
                asyncio.get_running_loop().call_soon(self._begin)
            self._begun.append(number)

    def withdraw(self, key: str) -> list[Send]:
        """Remove and return the sends to a room that are in no call yet, in order."""
        waiting = self._waiting[self._keys.number_of(key)]
        taken = [send for send in waiting if send.room.key == key]
        if taken:
            left = [send for send in waiting if send.room.key != key]
            waiting.clear()
            waiting.extend(left)
        return taken

    def signal(self, channel: str, body: Body, *, created_at: int = 0, room_id: int = 0) -> None:
        """Publish a signal. It is dropped if the broker cannot take it at once.

        Args:
            channel: the channel to publish on.
            body: the signal.
            created_at: its time, milliseconds since 1970.
            room_id: the room that it is about; 0 for none.
        """
        data = signal(body, self._fence.signals, created_at, room_id)
        self._pipe.call(pack("SPUBLISH", channel, data)).add_done_callback(_dropped)

    def broadcast(self, source: str, body: Body, *, created_at: int = 0, turn: int = 0) -> None:
        """Publish a signal to every gateway.

        Every gateway subscribes to such a channel in each partition, so that the load is spread
        over the masters of a Redis Cluster.

        Args:
            source: signals of one source go by one channel, and arrive in order.
            body: the signal.
            created_at: its time, milliseconds since 1970.
            turn: selects another channel for each number, so that a dead master loses only some
                of a series of signals.
        """
        number = (self._keys.number_of(source) + turn) % len(self._keys)
        self.signal(self._keys[number].everyone, body, created_at=created_at)

    async def close(self) -> None:
        """Wait until every send has its answer."""
        while self._busy:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle

    def _begin(self) -> None:
        """Make the first call of each partition that got sends in this turn of the event loop."""
        begun, self._begun = self._begun, []
        for number in begun:
            self._call(number)

    def _call(self, number: int) -> None:
        """Pass the waiting sends of a partition to the broker; without any, mark it as not busy."""
        waiting = self._waiting[number]
        if not waiting:
            self._busy.discard(number)
            if not self._busy and self._idle is not None and not self._idle.done():
                self._idle.set_result(None)
            return
        sends = [waiting.popleft() for _ in range(min(MAX_SENDS_PER_CALL, len(waiting)))]
        call = _Call(self._keys[number], sends)

        def answered(answer: Any) -> None:  # noqa: ANN401 - the script's answer
            if isinstance(answer, UNAVAILABLE):
                # Repeating the call is safe. If the broker executed it and only the answer was
                # lost, it knows the sends by their keys, and answers with their first id and seq.
                task = asyncio.create_task(self._call_again(call, keys, args))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._answered(call, answer)

        try:
            keys, args = call.words(self._limits, self._fence)
            self._script.ask(keys, args, answered)
        except Exception as error:  # noqa: BLE001 - sorted out there
            self._answered(call, error)

    def _answered(self, call: "_Call", answer: Any) -> None:  # noqa: ANN401 - the script's answer
        """Settle the sends of a call, then call for those that came meanwhile."""
        try:
            self._settle(call, answer)
        except UNAVAILABLE as error:
            log.warning("publish failed", partition=call.number, error=str(error))
            _refuse(call.sends, broker_unavailable())
        except Exception as error:  # every send must get an answer
            log.exception("publish failed", partition=call.number, error=str(error))
            _refuse(call.sends, ChatError("internal", "the message could not be published"))
        self._call(call.number)

    def _settle(self, call: "_Call", answer: Any) -> None:  # noqa: ANN401 - the script's answer
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            _refuse(call.sends, broker_unavailable())
            return
        SECONDS.observe(monotonic() - call.began)
        SHARING.observe(len(call.sends))
        self._fence.note_epoch(call.number, answer[0])
        if absent := call.settle(*answer):
            self.on_rooms_not_held(absent)

    async def _call_again(self, call: "_Call", keys: Sequence[str], args: Sequence[Word]) -> None:
        answer: Any = None
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(UNAVAILABLE),
                stop=stop_after_attempt(2) | stop_after_delay(6),
                wait=wait_fixed(0.2),
                reraise=True,
            ):
                with attempt:
                    answer = await self._script(keys, args)
        except Exception as error:  # noqa: BLE001 - sorted out there
            answer = error
        self._answered(call, answer)


class _Call:
    """A call of `publish.lua`: sends of one partition, grouped by room."""

    __slots__ = ("_part", "began", "number", "rooms", "sends")

    def __init__(self, part: PartitionKeys, sends: Sequence[Send]) -> None:
        self._part = part
        self.number = part.number
        rooms: defaultdict[tuple[str, int], list[Send]] = defaultdict(list)
        for send in sends:
            rooms[send.room.key, send.room.id].append(send)
        self.rooms = list(rooms.values())
        self.sends = [send for room_sends in self.rooms for send in room_sends]
        self.began = monotonic()

    def words(self, limits: Sequence[int], fence: Fence) -> tuple[list[str], list[Word]]:
        """Build the script's KEYS and ARGV."""
        part, sends = self._part, self.sends
        keys = [part.record, part.stream, part.control, part.wakes, *part.once]
        args: list[Word] = [*limits, fence.epoch(self.number), len(self.rooms), len(sends)]
        args.append(fence.format(self.number))
        for room_sends in self.rooms:
            room = room_sends[0].room
            keys += part.send_keys(room.key)
            args += (room.id, len(room_sends))
        args += [send.once for send in sends]
        args += [send.body for send in sends]
        for number, send in enumerate(sends, 1):
            if not send.effect:
                continue  # most sends are messages, which have none
            for what, field, value in send.effect:
                args += (number, what, field, value)
                if what == "delete":
                    keys.append(part.gone(send.room.key))
        return keys, args

    def settle(self, epoch: int, results: Sequence[int]) -> list[Send]:
        """Settle the sends with their results; return those whose room is not held."""
        absent: list[Send] = []
        numbers = iter(results)
        for send, status, event_id, seq, at in zip(
            self.sends, numbers, numbers, numbers, numbers, strict=True
        ):
            if status <= DUPLICATE:
                (DUPLICATES if status == DUPLICATE else ACCEPTED).value += 1
                send.settle(Accepted(event_id, seq, at, status == DUPLICATE, epoch))
            elif status == ABSENT:
                absent.append(send)
            elif status == OVERLOADED:
                text = "too many messages wait to be stored, try again"
                send.settle(ChatError("overloaded", text))
            else:
                send.settle(ChatError("not_found", "this room does not exist any more"))
        return absent


def _dropped(reply: "asyncio.Future[Any]") -> None:
    if not reply.cancelled() and (error := reply.exception()):
        log.debug("signal dropped", error=str(error))


def _not_held(sends: Sequence[Send]) -> None:
    _refuse(sends, RoomNotHeld())


def _refuse(sends: Sequence[Send], error: Exception) -> None:
    for send in sends:
        send.settle(error)
