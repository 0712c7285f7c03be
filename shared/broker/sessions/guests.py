"""Guests in the broker: the places that an address has for them."""

from collections.abc import Collection, Sequence
from typing import Final

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript

PLACE_SECONDS: Final = 180
"""Seconds that the places of an address are kept, unless one of its gateways holds them again."""


class GuestBroker:
    """Counts the guests of an address over all gateways."""

    def __init__(self, pipe: Pipe, keys: Keyspace) -> None:
        self._keys = keys
        self._hold = PipedScript(pipe, "hold_guests")
        self._release = PipedScript(pipe, "release_guests")

    async def hold(
        self,
        subject: str,
        guests: Sequence[str],
        gateways: Sequence[str],
        *,
        max_guests: int,
        others_ended: bool,
    ) -> int:
        """Hold places for guests of an address.

        Args:
            subject: stands for the address.
            guests: names of the guests.
            gateways: incarnations of the running gateways, first that of the caller.
            max_guests: guests that the address may be; 0 to hold places again. Then these are all
                guests of the calling gateway there, and places that it held for others are free.
            others_ended: True if other gateways have ended, so that their places are free; False
                if the caller may not know all that run, as it has just started.

        Returns:
            The number of these guests that have a place now.

        Raises:
            ChatError: `broker_unavailable`; the places may be held.
        """
        args = (gateways[0], PLACE_SECONDS * 1000, max_guests, int(others_ended), len(gateways))
        with unavailable_as_error():
            held: int = await self._hold([self._key(subject)], [*args, *gateways, *guests])
        return held

    async def release(self, subject: str, guests: Collection[str], gateway: str) -> None:
        """Give back the places of guests of an address, as far as a gateway holds them.

        Args:
            subject: stands for the address.
            guests: names of the guests.
            gateway: the gateway's incarnation.

        Raises:
            ChatError: `broker_unavailable`; the places may be given back.
        """
        with unavailable_as_error():
            await self._release([self._key(subject)], [gateway, *guests])

    def _key(self, subject: str) -> str:
        return self._keys.of(subject).guests(subject)
