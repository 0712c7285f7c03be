"""Publishing: the sends of a tick go to the broker in one script call for each partition."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final

import msgspec
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
)

from shared.broker.client import UNAVAILABLE
from shared.broker.keys import PartitionKeys
from shared.broker.pipe import Pipe, PipedScript
from shared.broker.resp import Word, pack
from shared.codec import encode_body
from shared.config import Settings
from shared.errors import ChatError, broker_unavailable
from shared.metrics import LATENCIES, SIZES, Counter, Histogram
from shared.model.events import (
    Banned,
    Body,
    HistoryCleared,
    Kicked,
    MessageDeleted,
    MessagePosted,
    ModeratorChanged,
    PasswordChanged,
    RoomDeleted,
    Unbanned,
)
from shared.model.ids import partition_of_key
from shared.model.rooms import Room
from shared.telemetry import logger

MOST_SENDS: Final = 256
"""Sends in one call: it keeps the server's other clients waiting for about 5 ms at the most."""

ACCEPTED: Final = Counter("sends_accepted", "Sends that the broker accepted.")
DUPLICATES: Final = Counter("sends_duplicate", "Sends that were accepted before.")
SECONDS: Final = Histogram("publish_seconds", "How long a call of publish took.", LATENCIES)
SHARING: Final = Histogram("publish_sends", "Sends that shared a call of publish.", SIZES)

DUPLICATE: Final = 1
ABSENT: Final = 2
OVERLOADED: Final = 4
"""What the script says of a send that was not simply accepted, 0, and whose room is not gone, 3."""

log = logger(__name__)


class Accepted(msgspec.Struct, frozen=True):
    """What the broker gave a send; `duplicate` when it was accepted before.

    Attributes:
        created_at: milliseconds since 1970.
        epoch: of the partition when it answered.
    """

    id: int
    seq: int
    created_at: int
    duplicate: bool
    epoch: int


class RoomNotHeld(Exception):
    """The broker does not hold the room: open it from SQL and send again."""


class Send:
    """A send on its way.

    Attributes:
        number: its partition's.
        once: what names it once and for all.
        body: encoded.
        effect: what it does to its room's record, as the script is told.
        done: gets what became of it.
        waited: it came back once, because the broker did not hold its room.
    """

    __slots__ = ("body", "done", "effect", "number", "once", "room", "waited")

    def __init__(self, room: Room, number: int, once: str, body: bytes, effect: str) -> None:
        self.room = room
        self.number = number
        self.once = once
        self.body = body
        self.effect = effect
        self.done: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self.waited = False

    def fail(self, error: Exception) -> None:
        """Say that nothing became of it."""
        if not self.done.done():
            self.done.set_exception(error)


class Publisher:
    """Gathers sends and signals and hands them to the broker.

    A partition has one call under way at a time, and what arrives meanwhile goes with the next:
    so sends keep their order, and the busier it gets, the more share one call and one fsync.

    Attributes:
        on_absent: takes the sends of a call whose rooms the broker does not hold; without it
            they end with RoomNotHeld.
    """

    def __init__(self, pipe: Pipe, settings: Settings) -> None:
        self._pipe = pipe
        self._partitions = settings.partitions
        self._limits = [
            settings.max_backlog,
            int(settings.dedupe_minutes * 60_000),
            int(settings.wake_after * 1000),
        ]
        self._script = PipedScript(pipe, "publish")
        self._waiting: defaultdict[int, deque[Send]] = defaultdict(deque)
        self._calls: dict[int, asyncio.Task[None]] = {}
        # The latest epoch seen of each partition.
        self._epochs: defaultdict[int, int] = defaultdict(int)
        self.on_absent: Callable[[Sequence[Send]], None] = _not_held

    def send(
        self, room: Room, sender: str, client_msg_id: str, body: Body
    ) -> "asyncio.Future[Accepted]":
        """Take a send; the order of the calls is the order in the room.

        The future raises ChatError (`broker_unavailable`, `overloaded`, `not_found` for a room
        that was deleted) or RoomNotHeld.
        """
        send = self.prepare(room, sender, client_msg_id, body)
        self.submit(send)
        return send.done

    def prepare(self, room: Room, sender: str, client_msg_id: str, body: Body) -> Send:
        """Make a send."""
        # The length keeps two names from running together.
        once = f"{room.id}:{len(sender)}:{sender}:{client_msg_id}"
        number = partition_of_key(room.key, self._partitions)
        return Send(room, number, once, encode_body(body), _effect(body))

    def submit(self, send: Send) -> None:
        """Hand a send to the broker, behind all that were submitted before."""
        self._waiting[send.number].append(send)
        if send.number not in self._calls:
            self._calls[send.number] = asyncio.create_task(self._flush(send.number))

    def take_back(self, key: str) -> list[Send]:
        """Take out what was submitted for a room and is not on its way yet."""
        waiting = self._waiting[partition_of_key(key, self._partitions)]
        taken = [send for send in waiting if send.room.key == key]
        if taken:
            left = [send for send in waiting if send.room.key != key]
            waiting.clear()
            waiting.extend(left)
        return taken

    def signal(self, channel: str, data: bytes) -> None:
        """Publish something that is not kept. What the broker cannot take now is dropped."""
        self._pipe.call(pack("SPUBLISH", channel, data)).add_done_callback(_dropped)

    async def close(self) -> None:
        """Wait until everything that was taken has its answer."""
        while self._calls:
            await asyncio.gather(*self._calls.values(), return_exceptions=True)

    async def _flush(self, number: int) -> None:
        waiting = self._waiting[number]
        try:
            while waiting:
                sends = [waiting.popleft() for _ in range(min(MOST_SENDS, len(waiting)))]
                rooms = _by_room(sends)
                try:
                    began = monotonic()
                    answer = await self._call(PartitionKeys(number), rooms)
                    SECONDS.observe(monotonic() - began)
                    SHARING.observe(len(sends))
                    if answer is not None:
                        self._epochs[number] = max(self._epochs[number], answer[0])
                    if absent := _settle(rooms, answer):
                        self.on_absent(absent)
                except UNAVAILABLE as error:
                    log.warning("publish failed", partition=number, error=str(error))
                    _refuse(sends, broker_unavailable())
                except Exception as error:
                    log.exception("publish failed", partition=number, error=str(error))
                    _refuse(sends, ChatError("internal", "the message could not be published"))
        finally:
            del self._calls[number]

    async def _call(self, part: PartitionKeys, rooms: Sequence[Sequence[Send]]) -> Any:  # noqa: ANN401 - the script's answer
        keys = [part.record, part.stream, part.control, part.wakes, *part.once]
        sends = [send for of_room in rooms for send in of_room]
        args: list[Word] = [*self._limits, self._epochs[part.number], len(rooms), len(sends)]
        for of_room in rooms:
            room = of_room[0].room
            keys += part.hot(room.key)
            args += (room.id, len(of_room))
        args += [send.once for send in sends]
        args += [send.body for send in sends]
        for number, send in enumerate(sends, 1):
            if send.effect:
                keys.append(part.gone(send.room.key))
                args += (number, send.effect)
        try:
            return await self._script(keys, args)
        except UNAVAILABLE:
            # Asking again is safe: a send whose answer was lost is remembered by its clientMsgId.
            return await self._call_again(keys, args)

    async def _call_again(self, keys: Sequence[str], args: Sequence[Word]) -> Any:  # noqa: ANN401
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(UNAVAILABLE),
            stop=stop_after_attempt(2) | stop_after_delay(6),
            wait=wait_fixed(0.2),
            reraise=True,
        ):
            with attempt:
                return await self._script(keys, args)
        raise AssertionError("the last attempt returns or raises")


def _effect(body: Body) -> str:
    """What an event does to its room's record, as the script is told."""
    match body:
        case MessagePosted():  # nearly always
            return ""
        case HistoryCleared():
            return "floor"
        case MessageDeleted(message_seq=seq):
            return f"delete {seq}"
        case RoomDeleted():
            return "drop"
        case PasswordChanged(password_hash=password_hash):
            return f"password {password_hash}"
        case Kicked(user):
            return f"kick {user}"
        case Banned(user):
            return f"ban {user}"
        case Unbanned(user):
            return f"unban {user}"
        case ModeratorChanged(user, _, moderator):
            return f"promote {user}" if moderator else f"demote {user}"
        case _:
            return ""


def _dropped(reply: "asyncio.Future[Any]") -> None:
    if not reply.cancelled() and (error := reply.exception()):
        log.debug("signal dropped", error=str(error))


def _not_held(sends: Sequence[Send]) -> None:
    _refuse(sends, RoomNotHeld())


def _refuse(sends: Sequence[Send], error: Exception) -> None:
    for send in sends:
        send.fail(error)


def _by_room(sends: Sequence[Send]) -> list[list[Send]]:
    """Sends in order, those of each room together."""
    rooms: defaultdict[tuple[str, int], list[Send]] = defaultdict(list)
    for send in sends:
        rooms[send.room.key, send.room.id].append(send)
    return list(rooms.values())


def _settle(rooms: Sequence[Sequence[Send]], answer: list[Any] | None) -> list[Send]:
    """Give sends their results; those whose room is not held are returned."""
    absent: list[Send] = []
    sends = [send for of_room in rooms for send in of_room]
    if answer is None:
        _refuse(sends, broker_unavailable())
        return absent
    epoch, results = answer
    numbers = iter(results)
    for send, status, event_id, seq, at in zip(
        sends, numbers, numbers, numbers, numbers, strict=True
    ):
        if send.done.done():
            continue  # the client went away and its wait was cancelled
        if status <= DUPLICATE:
            (DUPLICATES if status == DUPLICATE else ACCEPTED).value += 1
            send.done.set_result(Accepted(event_id, seq, at, status == DUPLICATE, epoch))
        elif status == ABSENT:
            absent.append(send)
        elif status == OVERLOADED:
            send.fail(ChatError("overloaded", "too much waits to be stored, try again"))
        else:
            send.fail(ChatError("not_found", "there is no such room any more"))
    return absent
