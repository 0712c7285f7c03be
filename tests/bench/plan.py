"""The scenarios that are measured, and the load generator's job for each of them."""

from typing import Literal

from msgspec import Struct

Kind = Literal["saturation", "rate", "idle", "connect", "reconnect"]


class Group(Struct, frozen=True):
    """Rooms of one size; a direct chat is a room of two, in the words a system has for it."""

    rooms: int
    members: int
    direct: bool = False


class Scenario(Struct, frozen=True, kw_only=True):
    """A scenario that is measured.

    Attributes:
        name: how the command line calls it.
        title: how the table calls it.
        kind: how it is measured.
        groups: the rooms there are.
        window: messages in flight a room: sent, and not yet with everybody.
        rate: messages a second over all rooms, for `rate`.
        seconds: how long it is measured.
        connections: how many are opened, for `idle`.
        balanced: through the system's load balancer, not straight to its nodes.
        nodes: to how many of the nodes clients connect; 0 for all.
        known: rooms there are besides, which nobody is in.
    """

    name: str
    title: str
    kind: Kind
    groups: tuple[Group, ...] = ()
    window: int = 0
    rate: float = 0
    seconds: float = 3
    connections: int = 0
    balanced: bool = False
    nodes: int = 0
    known: int = 0


FIFTIES = (Group(10, 50),)
PAIRS = (Group(250, 2, direct=True),)
STORM = (Group(20, 50),)

SCENARIOS = (
    Scenario(
        name="rooms50x16",
        title="rooms of 50, 16 in flight a room",
        kind="saturation",
        groups=FIFTIES,
        window=16,
    ),
    Scenario(
        name="rooms50x4",
        title="rooms of 50, 4 in flight a room",
        kind="saturation",
        groups=FIFTIES,
        window=4,
    ),
    Scenario(
        name="balanced",
        title="rooms of 50, 16 in flight a room, through HAProxy",
        kind="saturation",
        groups=FIFTIES,
        window=16,
        balanced=True,
    ),
    Scenario(
        name="direct",
        title="direct chats, 250 pairs, 4 in flight a pair",
        kind="saturation",
        groups=PAIRS,
        window=4,
    ),
    Scenario(
        name="direct1",
        title="direct chats, 250 pairs, 1 in flight a pair",
        kind="saturation",
        groups=PAIRS,
        window=1,
    ),
    Scenario(
        name="mixed",
        title="mixed: a room of 200, 4 of 50, 50 pairs, 4 in flight each",
        kind="saturation",
        groups=(Group(1, 200), Group(4, 50), Group(50, 2, direct=True)),
        window=4,
    ),
    Scenario(
        name="rate10k",
        title="rooms of 50, 10,000 deliveries/s offered",
        kind="rate",
        groups=FIFTIES,
        rate=200,
        seconds=8,
    ),
    Scenario(
        name="direct1k",
        title="direct chats, 250 pairs, 1,000 messages/s offered",
        kind="rate",
        groups=PAIRS,
        rate=1000,
        seconds=5,
    ),
    Scenario(
        name="room1000",
        title="one room of 1,000, 10 messages/s",
        kind="rate",
        groups=(Group(1, 1000),),
        rate=10,
        seconds=12,
    ),
    Scenario(
        name="idle",
        title="2,000 idle connections, and taking them in",
        kind="idle",
        connections=2000,
        seconds=5,
    ),
    Scenario(
        name="connect",
        title="connect storm: 1,000 connect and join rooms of 50",
        kind="connect",
        groups=STORM,
    ),
    Scenario(
        name="reconnect",
        title="reconnect storm: 500 of 1,000 come back and resume",
        kind="reconnect",
        groups=STORM,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
QUICK = ("rooms50x16", "direct", "rate10k", "reconnect")
"""What shows in a minute that the bench works."""


class Job(Struct, frozen=True, kw_only=True):
    """The job of the load generator.

    Attributes:
        scenario: the measurement.
        dialect: how the system is spoken to, a key of `dialects.DIALECTS`.
        endpoints: its nodes, `ws://host:port`; connections are spread over them in turn.
        processes: the pids of the system's server processes, by what they are.
        stored: the SQLite file that every message must be in at the end, of a durable system.
        strict: whether it promises one order and nothing twice; then either makes a run invalid.
    """

    scenario: Scenario
    dialect: str
    endpoints: tuple[str, ...]
    processes: dict[str, list[int]]
    stored: str | None = None
    strict: bool = False
