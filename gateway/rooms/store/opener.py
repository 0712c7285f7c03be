"""Opens rooms that the broker does not hold when something is sent to them."""

import asyncio
from collections.abc import Sequence

from gateway.rooms.store.directory import Directory
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.send import Send
from shared.errors import ChatError, broker_unavailable
from shared.telemetry import logger

log = logger(__name__)


class RoomOpener:
    """Takes what a publisher finds absent; sends to a room wait in line until it is open.

    So sends keep the order in which they were handed over.
    """

    def __init__(self, publisher: Publisher, directory: Directory) -> None:
        """Attach to a publisher.

        Args:
            publisher: of this gateway.
            directory: opens rooms.
        """
        self._publisher = publisher
        self._directory = directory
        self._openers: set[asyncio.Task[None]] = set()
        publisher.on_absent = self._absent

    def _absent(self, sends: Sequence[Send]) -> None:
        """Let sends wait until their rooms are open, and all that would overtake them."""
        for send in sends:
            key = send.room.key
            if send.waited:
                send.settle(broker_unavailable())
            elif line := self._publisher.lines.get(key):
                line.append(send)
            else:
                self._publisher.lines[key] = [send]
                opener = asyncio.create_task(self._open(key))
                self._openers.add(opener)
                opener.add_done_callback(self._openers.discard)
        for key in {send.room.key for send in sends} & self._publisher.lines.keys():
            self._publisher.lines[key] += self._publisher.take_back(key)

    async def _open(self, key: str) -> None:
        failure: ChatError | None = None
        try:
            if await self._directory.room(key) is None:
                # It was lost with what the broker held, before SQL had it.
                failure = ChatError("not_found", "there is no such room any more")
        except ChatError as error:
            failure = error
        except Exception:  # whoever waits must have an answer
            log.exception("room not opened", room=key)
            failure = ChatError("internal", "the room could not be opened")
        # Whoever comes next goes behind all of these.
        for send in self._publisher.lines.pop(key):
            send.waited = True
            if failure is None:
                self._publisher.submit(send)
            else:
                send.settle(failure)
