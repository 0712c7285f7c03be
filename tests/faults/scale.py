"""The size of a run."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The numbers that define the size of a run.

    Attributes:
        seed: decides what strikes when, and what everybody does.
        seconds: for the faults; what comes before and after them is not counted.
        sends: messages a second that all clients together try.
        patience: seconds after which what has not healed is taken for broken.
        long: whether pauses may be longer than 5 s.
    """

    seed: int
    seconds: float
    gateways: int = 3
    persisters: int = 2
    rooms: int = 20
    chats: int = 20
    clients: int = 60
    rooms_each: int = 3
    sends: float = 200.0
    patience: float = 45.0
    long: bool = False
