"""Sends to a room that must be opened first wait in line, so that they keep their order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.send import Send
from shared.errors import ChatError, broker_unavailable
from shared.model.events import Body
from shared.model.rooms import Room
from shared.telemetry import logger

log = logger(__name__)


class SendLine:
    """Hands sends to the publisher; those to a room that is not held stand in line for it."""

    def __init__(
        self, publisher: Publisher, open_room: Callable[[str], Awaitable[Room | None]]
    ) -> None:
        """Take the publisher over: what it finds absent comes here.

        Args:
            publisher: of this gateway.
            open_room: lets the broker hold the room of a key; None if there is no such room.
        """
        self._publisher = publisher
        self._open_room = open_room
        self._lines: dict[str, list[Send]] = {}
        self._openers: set[asyncio.Task[None]] = set()
        publisher.on_absent = self._absent

    def send(self, room: Room, sender: str, client_msg_id: str, body: Body) -> Send:
        """Send; sends take their places in the order of these calls.

        It ends with ChatError, as `Publisher.send` and opening a room do.
        """
        send = self._publisher.prepare(room, sender, client_msg_id, body)
        if line := self._lines.get(room.key):
            line.append(send)
        else:
            self._publisher.submit(send)
        return send

    def _absent(self, sends: Sequence[Send]) -> None:
        """Let sends wait until their rooms are open, and all that would overtake them."""
        for send in sends:
            key = send.room.key
            if send.waited:
                send.settle(broker_unavailable())
            elif line := self._lines.get(key):
                line.append(send)
            else:
                self._lines[key] = [send]
                opener = asyncio.create_task(self._open(key))
                self._openers.add(opener)
                opener.add_done_callback(self._openers.discard)
        for key in {send.room.key for send in sends} & self._lines.keys():
            self._lines[key] += self._publisher.take_back(key)

    async def _open(self, key: str) -> None:
        failure: ChatError | None = None
        try:
            if await self._open_room(key) is None:
                # It was lost with what the broker held, before SQL had it.
                failure = ChatError("not_found", "there is no such room any more")
        except ChatError as error:
            failure = error
        except Exception:  # whoever waits must have an answer
            log.exception("room not opened", room=key)
            failure = ChatError("internal", "the room could not be opened")
        # Whoever comes next goes behind all of these.
        for send in self._lines.pop(key):
            send.waited = True
            if failure is None:
                self._publisher.submit(send)
            else:
                send.settle(failure)
