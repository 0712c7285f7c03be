"""The budget of what a connection sends: bytes, packets and refusals, whatever its protocol.

Bytes are paid where they arrive, before they are parsed, and packets once they are counted, of
which one turn of the event loop has few. What has been read is still handled. Who sends more is
read more slowly: reading waits until the budget is refilled. Nothing is lost, and nobody is closed
for it (decision 071). Only refusals end a connection.
"""

import time
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from shared.addresses import rate_limit_address
from shared.config import Settings
from shared.metrics import Counter
from shared.rates import Rate

ADDRESS_SHARE: Final = 16
"""Times the budget of a connection that all connections of an address have on a gateway."""

ADDRESS_MEMORY_SECONDS: Final = 10.0
"""Seconds for which an address that opens connections is known, whether they still are or not.
Otherwise an address that owes would owe nothing once it has connected again."""

MIN_WAIT_SECONDS: Final = 0.001
"""The shortest wait. A debt that is paid off sooner is not worth a timer, and stays a debt."""

SLOWED: Final = Counter(
    "slowed", "Times that the reading of a connection waited for its budget of bytes or packets."
)


class IntakeRates(NamedTuple):
    """The rates of a connection."""

    bytes: Rate
    packets: Rate
    refusals: Rate

    @classmethod
    def of(cls, settings: Settings) -> "IntakeRates":
        """Return the rates that are set."""
        return cls(settings.rate_bytes, settings.rate_packets, settings.rate_refusals)


class Budget:
    """Bytes and packets that may come in. Less than none is a debt.

    Time is read only once a number is below zero: until then a packet costs two subtractions. So
    what came while nobody sent is not known exactly, and a client that was quiet may send up to
    twice the burst.

    Attributes:
        bytes: the number of bytes that are left.
        packets: the number of packets that are left.
    """

    __slots__ = ("__weakref__", "_rates", "_refilled_at", "_times", "bytes", "packets")

    def __init__(self, rates: IntakeRates, times: int = 1) -> None:
        """Create a full budget.

        Args:
            rates: of a connection.
            times: the number of connections that it is for.
        """
        self._rates = rates
        self._times = times
        self._refilled_at = time.monotonic()
        self.bytes: float = rates.bytes.burst * times
        self.packets: float = rates.packets.burst * times

    def refill(self, now: float) -> float:
        """Add what has come since the last time.

        Args:
            now: the monotonic time, in seconds.

        Returns:
            Seconds until the debt is paid off; 0.0 if there is none.
        """
        each, every = self._rates.bytes, self._rates.packets
        times = self._times
        gained = (now - self._refilled_at) * times
        self._refilled_at = now
        self.bytes = min(each.burst * times, self.bytes + gained * each.per_second)
        self.packets = min(every.burst * times, self.packets + gained * every.per_second)
        owed = max(-self.bytes / each.per_second, -self.packets / every.per_second)
        return max(0.0, owed / times)


class Intake(Budget):
    """The budget of one connection, with its address's share behind it.

    Attributes:
        waits_until: the monotonic time until which reading has to wait, or had to the last time.
    """

    __slots__ = ("_refusals_full_at", "_shared", "waits_until")

    def __init__(self, rates: IntakeRates, shared: Budget) -> None:
        """Create the budget of a connection that has just been opened.

        Args:
            rates: of a connection.
            shared: the budget of its address.
        """
        super().__init__(rates)
        self._shared = shared
        self._refusals_full_at = 0
        self.waits_until = 0.0

    def take(self, size: int, packets: int) -> float:
        """Pay for what has come.

        Args:
            size: the number of bytes.
            packets: the number of packets.

        Returns:
            Seconds to wait before more is read or handled; 0.0 for none.
        """
        shared = self._shared
        self.bytes -= size
        self.packets -= packets
        shared.bytes -= size
        shared.packets -= packets
        if self.bytes < 0 or self.packets < 0 or shared.bytes < 0 or shared.packets < 0:
            return self.wait()
        return 0.0

    def wait(self) -> float:
        """Return the seconds until neither the connection nor its address owes anything."""
        now = time.monotonic()
        seconds = max(self.refill(now), self._shared.refill(now))
        if seconds < MIN_WAIT_SECONDS:
            return 0.0
        SLOWED.value += now >= self.waits_until  # else the wait that is under way goes on
        self.waits_until = now + seconds
        return seconds

    def refuse(self) -> bool:
        """Count a refusal; return True if there are too many, and the connection is to be closed.

        What a connection is refused counts before and after login, over all its namespaces.
        """
        now = int(time.monotonic() * 1e6)
        taken = self._rates.refusals.take(self._refusals_full_at, now, 1)
        self._refusals_full_at = taken.full_at
        return not taken.granted


class Intakes:
    """Opens the budgets of a gateway's connections, and knows those of their addresses."""

    def __init__(self, rates: IntakeRates) -> None:
        self._rates = rates
        # A budget is there for as long as a connection of its address is.
        self._addresses: WeakValueDictionary[str, Budget] = WeakValueDictionary()
        # Those of addresses that opened a connection not long ago: since the last change, and
        # between the last two.
        self._recent: dict[str, Budget] = {}
        self._older: dict[str, Budget] = {}
        self._changed_at = time.monotonic()

    def open(self, address: str) -> Intake:
        """Begin the budget of a connection.

        Args:
            address: of its client, as the guard has found it.
        """
        now = time.monotonic()
        if now - self._changed_at > ADDRESS_MEMORY_SECONDS:
            self._older, self._recent, self._changed_at = self._recent, {}, now
        key = rate_limit_address(address)
        shared = self._addresses.get(key)
        if shared is None:
            shared = self._addresses[key] = Budget(self._rates, ADDRESS_SHARE)
        self._recent[key] = shared
        return Intake(self._rates, shared)
