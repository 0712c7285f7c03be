"""Bans of guests in the broker: they hold for the guest's address, for a while."""

import asyncio
from collections.abc import Mapping

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.broker.transport.resp import pack
from shared.model.rooms import Room


class GuestBanBroker:
    """Remembers where guests came from, and from which rooms their addresses are banned.

    An address is named by a subject that stands for it, never by itself.
    """

    def __init__(self, pipe: Pipe, keys: Keyspace) -> None:
        self._pipe = pipe
        self._keys = keys
        self._ban = PipedScript(pipe, "ban_guest")
        self._holds = PipedScript(pipe, "holds_guest_ban")

    async def note(self, subjects: Mapping[str, str], seconds: float) -> None:
        """Note the addresses of guests, by name, for a number of seconds.

        Raises:
            ChatError: `broker_unavailable`; some may be noted.
        """
        keep = _milliseconds(seconds)
        with unavailable_as_error():
            await asyncio.gather(
                *(
                    self._pipe.call(pack("SET", self._address_key(guest), subject, "PX", keep))
                    for guest, subject in subjects.items()
                )
            )

    async def ban(self, room: Room, guest: str, seconds: float) -> None:
        """Ban the address of a guest from a room for a number of seconds, if it is known.

        Raises:
            ChatError: `broker_unavailable`; the address may be banned.
        """
        with unavailable_as_error():
            if subject := await self._subject(guest):
                keep = _milliseconds(seconds)
                await self._ban([self._ban_key(room, subject)], [guest, keep])
                # For as long as the ban holds, so that it can be lifted.
                await self._pipe.call(pack("PEXPIRE", self._address_key(guest), keep))

    async def lift(self, room: Room, guest: str) -> None:
        """Take the ban of a guest's address back; it stays if other guests there are banned.

        Raises:
            ChatError: `broker_unavailable`; the ban may have been taken back.
        """
        with unavailable_as_error():
            if subject := await self._subject(guest):
                await self._pipe.call(pack("ZREM", self._ban_key(room, subject), guest))

    async def holds(self, room: Room, subject: str) -> bool:
        """Return True if an address is banned from a room.

        Raises:
            ChatError: `broker_unavailable`.
        """
        with unavailable_as_error():
            return bool(await self._holds([self._ban_key(room, subject)], []))

    async def _subject(self, guest: str) -> str | None:
        found: bytes | None = await self._pipe.call(pack("GET", self._address_key(guest)))
        return found.decode() if found else None

    def _address_key(self, guest: str) -> str:
        return self._keys.of(guest).guest_address(guest)

    def _ban_key(self, room: Room, subject: str) -> str:
        return self._keys.of(room.key).guest_bans(room.id, subject)


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
