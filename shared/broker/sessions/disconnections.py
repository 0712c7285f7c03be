"""Disconnections of users by an operator's request, told to all gateways.

Gateways ask for them again and again: what is only published may be lost.
"""

from typing import Final

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import unavailable_as_error
from shared.broker.transport.pipe import Pipe
from shared.broker.transport.resp import pack

KEPT_SECONDS: Final = 3600
"""Seconds for which a gateway that could not ask carries a disconnection out once it can."""

MAX_KEPT: Final = 10_000
"""Disconnections that are kept, at most."""

START: Final = "0-0"
"""An id before all others."""


class DisconnectionBroker:
    """Keeps disconnections in a stream; the ids of its entries only grow."""

    def __init__(self, pipe: Pipe, keys: Keyspace) -> None:
        self._pipe = pipe
        self._key = keys[0].disconnections

    async def add(self, user: str) -> None:
        """Tell all gateways to end the connections of a user.

        Raises:
            ChatError: `broker_unavailable`; they may have been told.
        """
        with unavailable_as_error():
            await self._pipe.call(
                pack("XADD", self._key, "MAXLEN", "~", MAX_KEPT, "*", "user", user)
            )
            await self._pipe.call(pack("EXPIRE", self._key, KEPT_SECONDS))

    async def newest(self) -> str:
        """The id of the newest entry; `START` for none.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            found = await self._pipe.call(pack("XREVRANGE", self._key, "+", "-", "COUNT", 1))
        return found[0][0].decode() if found else START

    async def after(self, last: str) -> list[tuple[str, str]]:
        """The id and the user of each entry after an id, in order.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            found = await self._pipe.call(pack("XRANGE", self._key, f"({last}", "+"))
        return [(entry.decode(), fields[1].decode()) for entry, fields in found]
