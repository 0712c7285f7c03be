"""Publishing: the sends of a tick go to the broker in one script call for each partition."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
)

from shared.broker.client import UNAVAILABLE, Client, Script
from shared.broker.keys import PartitionKeys
from shared.codec import encode_body
from shared.config import Settings
from shared.errors import ChatError, broker_unavailable
from shared.model.events import Body, HistoryCleared, MessageDeleted, RoomDeleted, Wake
from shared.model.ids import partition_of_key
from shared.model.rooms import Room
from shared.telemetry import logger

MOST_SENDS: Final = 256
"""Sends in one call: it keeps the server's other clients waiting for about 5 ms at the most."""

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


@dataclass(frozen=True, slots=True)
class _Send:
    room: Room
    once: str
    body: bytes
    effect: str
    done: "asyncio.Future[Accepted]"


class Publisher:
    """Gathers sends and signals and hands them to the broker.

    A partition has one call under way at a time, and what arrives meanwhile goes with the next:
    so sends keep their order, and the busier it gets, the more share one call and one fsync.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._partitions = settings.partitions
        self._limits = [
            settings.max_backlog,
            int(settings.dedupe_minutes * 60_000),
            int(settings.wake_after * 1000),
        ]
        self._script = Script(client, "publish")
        self._waiting: defaultdict[int, deque[_Send]] = defaultdict(deque)
        self._calls: dict[int, asyncio.Task[None]] = {}
        # The latest epoch seen of each partition.
        self._epochs: defaultdict[int, int] = defaultdict(int)
        self._signals: list[tuple[str, bytes]] = []
        self._signalling: asyncio.Task[None] | None = None

    def send(
        self, room: Room, sender: str, client_msg_id: str, body: Body
    ) -> "asyncio.Future[Accepted]":
        """Take a send; the order of the calls is the order in the room.

        The future raises ChatError (`broker_unavailable`, `overloaded`, `not_found` for a room
        that was deleted) or RoomNotHeld.
        """
        done: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        number = partition_of_key(room.key, self._partitions)
        once = PartitionKeys(number).once(room.id, sender, client_msg_id)
        self._waiting[number].append(_Send(room, once, encode_body(body), _effect(body), done))
        if number not in self._calls:
            self._calls[number] = asyncio.create_task(self._flush(number))
        return done

    def signal(self, channel: str, data: bytes) -> None:
        """Publish something that is not kept. What the broker cannot take now is dropped."""
        self._signals.append((channel, data))
        if self._signalling is None or self._signalling.done():
            self._signalling = asyncio.create_task(self._flush_signals())

    async def close(self) -> None:
        """Wait until everything that was taken has its answer."""
        while self._calls:
            await asyncio.gather(*self._calls.values(), return_exceptions=True)
        if self._signalling is not None:
            await self._signalling

    async def _flush(self, number: int) -> None:
        waiting = self._waiting[number]
        try:
            while waiting:
                sends = [waiting.popleft() for _ in range(min(MOST_SENDS, len(waiting)))]
                try:
                    answer = await self._call(PartitionKeys(number), sends)
                    if answer is not None:
                        self._epochs[number] = max(self._epochs[number], answer[0])
                    _settle(sends, answer)
                except UNAVAILABLE as error:
                    log.warning("publish failed", partition=number, error=str(error))
                    _refuse(sends, broker_unavailable())
                except Exception as error:
                    log.exception("publish failed", partition=number, error=str(error))
                    _refuse(sends, ChatError("internal", "the message could not be published"))
        finally:
            del self._calls[number]

    async def _call(self, part: PartitionKeys, sends: Sequence[_Send]) -> Any:  # noqa: ANN401 - the script's answer
        rooms = {(send.room.key, send.room.id): send.room for send in sends}
        places = {room: place for place, room in enumerate(rooms, 1)}
        keys = [part.record, part.stream, part.control, part.wakes]
        args: list[str | bytes | int] = [*self._limits, self._epochs[part.number], len(rooms)]
        for room in rooms.values():
            key = room.key
            keys += [part.room(key), part.log(key), part.channel(key), part.gone(key)]
            direct = room.kind == "direct"
            wake = Wake(key, room.user1, room.user2, created=False) if direct else None
            args += [room.id, encode_body(wake) if wake else ""]
        for send in sends:
            keys.append(send.once)
            args += [places[send.room.key, send.room.id], send.effect, send.body]
        # Asking again is safe: a send whose answer was lost is remembered by its clientMsgId.
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(UNAVAILABLE),
            stop=stop_after_attempt(3) | stop_after_delay(6),
            wait=wait_fixed(0.2),
            reraise=True,
        ):
            with attempt:
                return await self._script(keys, args)
        raise AssertionError("the last attempt returns or raises")

    async def _flush_signals(self) -> None:
        while self._signals:
            signals, self._signals = self._signals, []
            try:
                async with self._client.pipeline(transaction=False) as pipeline:
                    for channel, data in signals:
                        pipeline.execute_command("SPUBLISH", channel, data)
                    await pipeline.execute()
            except UNAVAILABLE as error:
                log.debug("signals dropped", count=len(signals), error=str(error))


def _effect(body: Body) -> str:
    """What an event does to its room's record, as the script is told."""
    match body:
        case HistoryCleared():
            return "floor"
        case MessageDeleted(message_seq=seq):
            return f"delete {seq}"
        case RoomDeleted():
            return "drop"
        case _:
            return ""


def _refuse(sends: Sequence[_Send], error: Exception) -> None:
    for send in sends:
        if not send.done.done():
            send.done.set_exception(error)


def _settle(sends: Sequence[_Send], answer: list[Any] | None) -> None:
    if answer is None:
        return _refuse(sends, broker_unavailable())
    epoch, results = answer
    for send, (status, *numbers) in zip(sends, results, strict=True):
        match status:
            case _ if send.done.done():
                continue  # the client went away and its wait was cancelled
            case b"accepted" | b"duplicate":
                event_id, seq, at = numbers
                send.done.set_result(Accepted(event_id, seq, at, status == b"duplicate", epoch))
            case b"absent":
                send.done.set_exception(RoomNotHeld())
            case b"overloaded":
                error = ChatError("overloaded", "too much waits to be stored, try again")
                send.done.set_exception(error)
            case _:
                send.done.set_exception(ChatError("not_found", "there is no such room any more"))
    return None
