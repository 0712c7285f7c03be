"""Guests of this gateway: an address may be so many in the cluster at a time, and no more.

The broker is also told where each of them comes from, so that a room can ban the address.

The broker has the guests of an address, each with the gateway that holds its place. Places of a
gateway whose heartbeats have stopped do not count, so the guests of a killed gateway come back
through the others at once, and nothing is left to be cleaned up.
"""

import asyncio
import contextlib
from collections import defaultdict
from typing import Final

from gateway.access.guests import GuestBans, guest_subject
from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.rooms.client import Client
from shared.broker.sessions.guests import GuestBroker
from shared.broker.transport.client import Failure
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.telemetry import OutageLog, logger
from shared.trail import Trail
from shared.trail.events import Limited

RENEWAL_SECONDS: Final = 60.0
"""Seconds between two renewals of all places, which also mend what the broker has lost."""

RENEWALS_PER_TURN: Final = 250
"""Addresses whose places are renewed at the same time."""

BROKER_TIMEOUT_SECONDS: Final = 2.0
"""Seconds that the broker may take to answer; then this gateway counts alone."""

RELEASE_RETRY_SECONDS: Final = 1.0
"""Seconds until places are given back again that could not be."""

MAX_PENDING_ADDRESSES: Final = 10_000
"""Addresses with places that wait to be given back while the broker is away. Those of further ones
are free once their address is renewed, or nobody is there any more."""

RETRY_AFTER_MS: Final = 10_000
"""Milliseconds after which a refused guest is told to try again."""

log = logger(__name__)


class GuestPlaces:
    """The places of this gateway's guests.

    Attributes:
        task: renews in the broker what it has of the guests.
    """

    def __init__(
        self,
        broker: GuestBroker,
        bans: GuestBans,
        heartbeat: HeartbeatMonitor,
        trail: Trail,
        max_guests: int,
    ) -> None:
        """Begin with no guests.

        Args:
            broker: counts over all gateways.
            bans: need to know where guests come from.
            heartbeat: knows the running gateways.
            trail: is told who is refused.
            max_guests: guests that an address may be; 0 for any number.
        """
        self._broker = broker
        self._bans = bans
        self._heartbeat = heartbeat
        self._trail = trail
        self._max_guests = max_guests
        # The client of each place, by what stands for its address, and by its name.
        self._held: defaultdict[str, dict[str, Client]] = defaultdict(dict)
        self._places: dict[Client, tuple[str, str]] = {}
        # Places to give back in the broker.
        self._freed: defaultdict[str, set[str]] = defaultdict(set)
        self._releasing: asyncio.Task[None] | None = None
        self._outage = OutageLog(
            log, "cannot free the places of guests, will retry", "places of guests are freed again"
        )
        self.task = PeriodicTask(self._renew, RENEWAL_SECONDS, "guests")

    async def take(self, client: Client, name: str) -> None:
        """Take a place for a guest, until `leave`.

        While the broker is away this gateway counts its own guests alone.

        Args:
            client: a client without a token.
            name: the guest's name. A guest that recovers its session takes its own place.

        Raises:
            ChatError: `rate_limited`: its address is as many guests as it may be.
        """
        if client in self._places:
            return
        subject = guest_subject(client.address)
        held = self._held[subject]
        has_room = name in held or len(held) < self._max_guests or not self._max_guests
        # At once, so that those who come meanwhile find it taken.
        held[name], self._places[client] = client, (subject, name)
        try:
            is_admitted = await self._is_admitted(subject, name, has_room=has_room)
        except BaseException:
            self.leave(client)
            raise
        if not is_admitted:
            self.leave(client)
            guest = Limited(rate="guests", address=client.address, user=name)
            self._trail.note(guest, client.source)
            text = "this address is as many guests as it may be: sign in, or try again later"
            raise ChatError("rate_limited", text, RETRY_AFTER_MS)

    def leave(self, client: Client) -> None:
        """Give the place of a client back; do nothing if it has none."""
        if place := self._forget(client):
            self._release_later([place])

    def leave_all(self) -> None:
        """Give all places back: a drain sends the guests elsewhere, where each needs one."""
        places = [(subject, name) for subject, held in self._held.items() for name in held]
        self._held.clear()
        self._places.clear()
        self._release_later(places)

    async def close(self) -> None:
        """End the giving back. What is left does not count once this gateway has ended."""
        if self._releasing is not None:
            self._releasing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._releasing

    async def _is_admitted(self, subject: str, name: str, *, has_room: bool) -> bool:
        try:
            async with asyncio.timeout(BROKER_TIMEOUT_SECONDS):
                held = await self._hold(subject, [name], self._max_guests)
                if held:
                    await self._note(subject, [name])
                return bool(held)
        except (ChatError, TimeoutError) as error:
            text = "the broker does not answer: guests are counted by this gateway alone"
            log.warning(text, reason=str(error))
            return has_room

    async def _note(self, subject: str, names: list[str]) -> None:
        await self._bans.note(dict.fromkeys(names, subject), 2 * RENEWAL_SECONDS)

    async def _hold(self, subject: str, names: list[str], max_guests: int) -> int:
        if not self._max_guests:
            return len(names)
        return await self._broker.hold(
            subject,
            names,
            self._heartbeat.present,
            max_guests=max_guests,
            others_ended=self._heartbeat.may_judge,
        )

    def _forget(self, client: Client) -> tuple[str, str] | None:
        """Forget a client; return its place, unless another connection of the guest has it now."""
        place = self._places.pop(client, None)
        if place is None:
            return None
        subject, name = place
        held = self._held.get(subject, {})
        if held.get(name) is not client:
            return None
        del held[name]
        if not held:
            del self._held[subject]
        return place

    def _release_later(self, places: list[tuple[str, str]]) -> None:
        if not self._max_guests:
            return
        for subject, name in places:
            self._freed[subject].add(name)
        while len(self._freed) > MAX_PENDING_ADDRESSES:
            del self._freed[next(iter(self._freed))]
        if self._freed and (self._releasing is None or self._releasing.done()):
            self._releasing = asyncio.create_task(self._release())

    async def _release(self) -> None:
        while self._freed:
            subject = next(iter(self._freed))
            # A guest that has come back here meanwhile keeps its place.
            names = self._freed.pop(subject) - self._held.get(subject, {}).keys()
            if not names:
                continue
            try:
                await self._broker.release(subject, names, self._heartbeat.incarnation)
            except (ChatError, Failure) as error:
                # What is not given back would be kept while others of the address are here.
                self._freed[subject] |= names
                if isinstance(error, Failure):
                    self._outage.failed(error)
                await asyncio.sleep(RELEASE_RETRY_SECONDS)
            else:
                self._outage.succeeded()

    async def _renew(self) -> None:
        subjects = list(self._held)
        try:
            for start in range(0, len(subjects), RENEWALS_PER_TURN):
                some = subjects[start : start + RENEWALS_PER_TURN]
                await asyncio.gather(*map(self._renew_address, some))
        except ChatError as error:
            log.warning("cannot renew the places of guests, will retry", code=error.code)

    async def _renew_address(self, subject: str) -> None:
        """Hold the places of an address again; others of this gateway there are given back."""
        if names := list(self._held.get(subject, ())):
            await self._hold(subject, names, 0)
            await self._note(subject, names)
