"""What is measured: the scenarios, and the job the load generator is given for one of them."""

from typing import Literal

from msgspec import Struct

Kind = Literal["saturation", "rate", "idle", "connect", "reconnect"]


class Group(Struct, frozen=True):
    """Rooms of one size; a direct chat is a room of two, in the words a system has for it."""

    rooms: int
    members: int
    direct: bool = False


class Scenario(Struct, frozen=True, kw_only=True):
    """One thing that is measured.

    Attributes:
        name: how the command line calls it.
        title: how the table calls it.
        kind: how it is measured.
        groups: the rooms there are.
        window: messages in flight a room: sent, and not yet with everybody.
        rate: messages a second over all rooms, for `rate`.
        seconds: how long it is measured.
        connections: how many are opened, for `idle`.
    """

    name: str
    title: str
    kind: Kind
    groups: tuple[Group, ...] = ()
    window: int = 0
    rate: float = 0
    seconds: float = 5
    connections: int = 0


FIFTIES = (Group(10, 50),)
PAIRS = (Group(250, 2, direct=True),)

SCENARIOS = (
    Scenario(
        name="rooms50x4",
        title="rooms of 50, 4 in flight",
        kind="saturation",
        groups=FIFTIES,
        window=4,
    ),
    Scenario(
        name="rooms50x16",
        title="rooms of 50, 16 in flight",
        kind="saturation",
        groups=FIFTIES,
        window=16,
    ),
    Scenario(
        name="direct",
        title="direct chats, 250 pairs",
        kind="saturation",
        groups=PAIRS,
        window=1,
    ),
    Scenario(
        name="direct4",
        title="direct chats, 250 pairs, 4 in flight",
        kind="saturation",
        groups=PAIRS,
        window=4,
    ),
    Scenario(
        name="direct16",
        title="direct chats, 250 pairs, 16 in flight",
        kind="saturation",
        groups=PAIRS,
        window=16,
    ),
    Scenario(
        name="idle",
        title="idle connections",
        kind="idle",
        connections=2000,
        seconds=10,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


class Job(Struct, frozen=True, kw_only=True):
    """What the load generator is to do.

    Attributes:
        scenario: the measurement.
        dialect: how the system is spoken to, a key of `dialects.DIALECTS`.
        endpoints: its nodes, `ws://host:port`; connections are spread over them in turn.
        processes: the pids of the system's server processes, by what they are.
        stored: the SQLite file that every message must be in at the end, of a durable system.
        ordered: whether it promises one order; then a delivery out of order makes a run invalid.
    """

    scenario: Scenario
    dialect: str
    endpoints: tuple[str, ...]
    processes: dict[str, list[int]]
    stored: str | None = None
    ordered: bool = False
