"""Opens rooms that the broker does not hold when a client sends to them."""

import asyncio
from collections.abc import Sequence

from gateway.rooms.store.directory import Directory
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.send import Send
from shared.errors import ChatError, broker_unavailable
from shared.telemetry import logger

log = logger(__name__)


class RoomOpener:
    """Opens the rooms that a publisher finds absent; their sends wait in line and keep their order.

    Without the line a send that comes while the room is being opened could overtake those before
    it: 1 and 2 find the room absent, the room is opened, 3 is accepted, then 1 and 2 are repeated.
    """

    def __init__(self, publisher: Publisher, directory: Directory) -> None:
        """Attach to a publisher."""
        self._publisher = publisher
        self._directory = directory
        self._openers: set[asyncio.Task[None]] = set()
        publisher.on_rooms_not_held = self._absent

    def _absent(self, sends: Sequence[Send]) -> None:
        """Let sends wait until their rooms are open, with all later sends to these rooms."""
        for send in sends:
            key = send.room.key
            if send.retried:
                send.settle(broker_unavailable())
            elif line := self._publisher.lines.get(key):
                line.append(send)
            else:
                self._publisher.lines[key] = [send]
                opener = asyncio.create_task(self._open(key))
                self._openers.add(opener)
                opener.add_done_callback(self._openers.discard)
        for key in {send.room.key for send in sends} & self._publisher.lines.keys():
            self._publisher.lines[key] += self._publisher.withdraw(key)

    async def _open(self, key: str) -> None:
        failure: ChatError | None = None
        try:
            if await self._directory.room(key) is None:
                # Redis lost the room before SQL had it.
                failure = ChatError("not_found", "this room does not exist any more")
        except ChatError as error:
            failure = error
        except Exception:  # the sends that wait must be answered, whatever happened
            log.exception("cannot open a room", room=key)
            failure = ChatError("internal", "the room could not be opened")
        # Taken out of the lines first: a send that arrives from now on is submitted behind these.
        for send in self._publisher.lines.pop(key):
            send.retried = True
            if failure is None:
                self._publisher.submit(send)
            else:
                send.settle(failure)
