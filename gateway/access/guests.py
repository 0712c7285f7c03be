"""Guests by their address, which is all that stays of them when they connect again."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from gateway.access.identity import GUEST_PREFIX, is_guest
from shared.addresses import rate_limit_address
from shared.broker.sessions.guest_bans import GuestBanBroker
from shared.config import Settings
from shared.model.rooms import Room

DIGEST_CHARACTERS: Final = 32
"""Characters of an address's hash that are used, each of 4 bits."""


def guest_subject(address: str) -> str:
    """The name under which all guests of an address are counted.

    It is neither a guest's name, which is shorter, nor that of a user with a token. It has the
    address's hash, so that the broker does not list who was here. Whoever can read the broker can
    try all addresses of IPv4.
    """
    digest = sha256(rate_limit_address(address).encode()).hexdigest()
    return GUEST_PREFIX + digest[:DIGEST_CHARACTERS]


def rate_subject(name: str, address: str, *, proven: bool) -> str:
    """The rate-limit subject of a client: its name, or for a guest its address.

    Decision 074 says why clients without a name, with AUTH_MODE=open, do not count by address.

    Args:
        name: the client's name, or `User <sid>` where it has none.
        address: the client's network address.
        proven: True if names are proven (`AUTH_MODE=jwt`), and `guest-` is the server's prefix.
    """
    return guest_subject(address) if proven and is_guest(name) else name


class GuestBans:
    """Bans of guests, which hold for their addresses for a while.

    A banned guest would come back under a new name. So a ban also keeps all guests of the address
    that the guest came from out of the room, but for those who are in it already.
    """

    def __init__(self, broker: GuestBanBroker, settings: Settings) -> None:
        self._broker = broker
        self._seconds = settings.guest_ban_seconds if settings.guests == "on" else 0.0

    async def note(self, subjects: Mapping[str, str], seconds: float) -> None:
        """Note where guests come from, so that they can be banned from any gateway.

        Args:
            subjects: what stands for the address of each guest, by name.
            seconds: time until they are noted again. Guests can be banned by address as long
                after they have left as a ban holds.

        Raises:
            ChatError: `broker_unavailable`.
        """
        if self._seconds:
            await self._broker.note(subjects, seconds + self._seconds)

    async def ban(self, room: Room, user: str) -> None:
        """Ban the address of a user from a room, if the user is a guest.

        Raises:
            ChatError: `broker_unavailable`.
        """
        if self._seconds and is_guest(user):
            await self._broker.ban(room, user, self._seconds)

    async def lift(self, room: Room, user: str) -> None:
        """Take such a ban back.

        Raises:
            ChatError: `broker_unavailable`.
        """
        if self._seconds and is_guest(user):
            await self._broker.lift(room, user)

    async def holds(self, room: Room, subject: str) -> bool:
        """Return True if the guests of an address may not enter a room now.

        Raises:
            ChatError: `broker_unavailable`.
        """
        return bool(self._seconds) and await self._broker.holds(room, subject)
