"""Where a connection comes from, and that its user does not connect too often."""

import asyncio

from gateway.access.limits import Guess, Limits
from gateway.connections.connection import Connection
from gateway.protocols.close_codes import CloseCode
from shared.errors import ChatError


class Visitor:
    """What limits know of a connection beside its name."""

    __slots__ = ("_address", "_limits", "_naming", "_refusal")

    def __init__(self, limits: Limits, address: str) -> None:
        self._limits = limits
        self._address = address
        self._naming: asyncio.Task[None] | None = None
        self._refusal: ChatError | None = None

    def named(self, connection: Connection) -> None:
        """It is known who it is: its user has connected once more, perhaps too often."""
        self._naming = asyncio.create_task(self._count(connection))

    async def admitted(self) -> None:
        """Wait until that is known.

        Raises:
            ChatError: `rate_limited`, of a connection that is not taken in yet; others are told
                and closed by themselves.
        """
        if self._naming is not None:
            await self._naming
        if self._refusal is not None:
            raise self._refusal

    async def guess(self, room: str, user: str) -> Guess:
        """As `Limits.guess`, from where it comes from."""
        return await self._limits.guess(room, user, self._address)

    async def _count(self, connection: Connection) -> None:
        try:
            await self._limits.connect_user(connection.display_name)
        except ChatError as error:
            if connection.on_end is None:
                self._refusal = error
            else:
                connection.refuse(None, error)
                connection.end(CloseCode.TOO_FAST)
        finally:
            self._naming = None
