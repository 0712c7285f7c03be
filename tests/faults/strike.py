"""A fault that struck, and the description of each kind of fault."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.faults.arena import Arena
from tests.faults.history import now

Measure = Literal["back", "accepted", "delivered", "durable"]
"""What ends healing: all clients are connected and caught up; a send of each client is accepted;
each has reached every member of its room; SQL has each."""


@dataclass(eq=False)
class Strike:
    """A fault at a time.

    Attributes:
        begun: when it took effect.
        over: when its cause was gone; healing is counted from there.
        destroys: it may take accepted sends that SQL did not have.
        losses: how far SQL had each partition just before each loss, where it destroys.
        seen: the cursors that SQL had then, by place and user.
        hit: operations that were in flight.
        healed: seconds until each measure was met; missing where it never was.
        missing: who or what did not heal.
        left_out: why it did not strike after all.
        afterwards: what clears up once it has healed.
    """

    kind: str
    target: str = ""
    begun: float = 0.0
    over: float = 0.0
    destroys: bool = False
    losses: list[dict[int, int]] = field(default_factory=list)
    seen: list[dict[tuple[str, str], int]] = field(default_factory=list)
    hit: int = 0
    healed: dict[str, float] = field(default_factory=dict)
    missing: str = ""
    left_out: str = ""
    afterwards: Callable[[], Awaitable[None]] | None = None

    def begin(self) -> None:
        """Note the time at which the fault takes effect."""
        self.begun = now()

    def end(self) -> None:
        """Note the time at which the cause is removed."""
        self.over = now()


Act = Callable[[Arena, Strike], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        act: does it, and returns once its cause is gone.
        measure: what counts as healed.
        within: seconds in which that should be, on a machine with time to spare.
        destroys: see `Strike`.
        seconds: about how long one takes, healing included.
        long: only for long runs.
    """

    kind: str
    act: Act
    measure: Measure
    within: float
    destroys: bool
    seconds: float
    long: bool


FAULTS: Final[dict[str, Fault]] = {}
"""Every kind there is, in the order in which the modules name them."""


def fault(
    kind: str,
    measure: Measure = "delivered",
    within: float = 5,
    *,
    destroys: bool = False,
    seconds: float = 3,
    long: bool = False,
) -> Callable[[Act], Act]:
    """Make a function a kind of fault."""

    def register(act: Act) -> Act:
        FAULTS[kind] = Fault(kind, act, measure, within, destroys, seconds, long)
        return act

    return register


class LeftOut(Exception):
    """This kind of fault cannot be done here; the text says why."""
