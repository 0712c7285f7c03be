"""Series of measurements in which one size grows step by step."""

from typing import NamedTuple

from tests.bench.plan import FIFTIES, Group, Scenario


class Step(NamedTuple):
    """A point of a series.

    Attributes:
        series: which one.
        size: where on its axis.
        gateways: how many there are.
        scenario: what is measured.
    """

    series: str
    size: int
    gateways: int
    scenario: Scenario


class Line(NamedTuple):
    """A line of a picture: a figure of a series, `a message` instead of a delivery if so."""

    series: str
    figure: str
    title: str


class Picture(NamedTuple):
    """A picture: its file, what its axes are, its lines, and what bounds what it shows."""

    file: str
    title: str
    axis: str
    unit: str
    lines: tuple[Line, ...]
    bound: str


GATEWAYS = (1, 2, 4)
CONNECTIONS = (100, 300, 1000, 3000, 10_000)
MEMBERS = (1, 4, 16, 64, 250, 1000)
KNOWN = (10, 1000, 10_000, 100_000)
TOGETHER = 1000
"""Connections, however many members a room has."""

QUICK = {"gateways": (1, 2), "connections": (100,), "members": (1, 64), "known": (10, 1000)}


def steps(*, quick: bool) -> list[Step]:
    """All of them, or a few."""
    every = [
        *_gateways(),
        *(step for count in CONNECTIONS for step in _connections(count)),
        *(_members(count) for count in MEMBERS),
        *(_known(count) for count in KNOWN),
    ]
    return [step for step in every if not quick or step.size in QUICK[step.series.split("-")[0]]]


def _gateways() -> list[Step]:
    spread = _saturation("spread over all gateways", FIFTIES, 16)
    alone = _saturation("all on one gateway", FIFTIES, 16, nodes=1)
    return [
        *(Step("gateways", count, count, spread) for count in GATEWAYS),
        *(Step("gateways-alone", count, count, alone) for count in GATEWAYS),
    ]


def _connections(count: int) -> list[Step]:
    rooms = _saturation(f"{count} connections in rooms of 50", (Group(count // 50, 50),), 4)
    title = f"{count} idle connections"
    idle = Scenario(name="size", title=title, kind="idle", connections=count, seconds=3)
    return [Step("connections", count, 2, rooms), Step("connections-idle", count, 2, idle)]


def _members(count: int) -> Step:
    rooms = (Group(TOGETHER // count, count),)
    return Step("members", count, 2, _saturation(f"rooms of {count}", rooms, 4))


def _known(count: int) -> Step:
    return Step("known", count, 2, _saturation(f"{count} rooms known", FIFTIES, 16, known=count))


def _saturation(
    title: str, groups: tuple[Group, ...], window: int, nodes: int = 0, known: int = 0
) -> Scenario:
    return Scenario(
        name="size",
        title=title,
        kind="saturation",
        groups=groups,
        window=window,
        nodes=nodes,
        known=known,
    )


def _parts(series: str) -> tuple[Line, ...]:
    return (
        Line(series, "cpu_us", "all-in"),
        Line(series, "cpu_us/gateway", "gateways"),
        Line(series, "cpu_us/redis", "Redis"),
        Line(series, "cpu_us/persister", "persister"),
    )


DELIVERY = "CPU us a delivery"
PICTURES = (
    Picture(
        "sizes-gateways",
        "Rooms of 50 over more gateways",
        "gateways",
        DELIVERY,
        _parts("gateways"),
        "Bounded by the cores: each gateway that has members of a room decodes and frames its "
        "messages once for itself, and with more of them a tick of each has fewer frames to join.",
    ),
    Picture(
        "sizes-redis",
        "Redis work with more gateways",
        "gateways",
        "CPU us of Redis a message",
        (
            Line("gateways", "redis_us_a_message", "members on every gateway"),
            Line("gateways-alone", "redis_us_a_message", "members on one gateway"),
        ),
        "A gateway that has no member of a room costs Redis nothing: it does not follow the "
        "channel. One that has costs one push a message, and splits what a script call could "
        "have taken together.",
    ),
    Picture(
        "sizes-connections",
        "Rooms of 50, more of them",
        "connections",
        DELIVERY,
        _parts("connections"),
        "Bounded by the cores. Few rooms leave little to join, so each message pays for a script "
        "call and its fsync alone; from some hundreds of connections on the price is flat.",
    ),
    Picture(
        "sizes-memory",
        "Memory of an idle connection",
        "connections",
        "KiB a connection",
        (Line("connections-idle", "idle_kib", "all processes"),),
        "Bounded by memory and by `ulimit -n`: each connection is an open file of its gateway.",
    ),
    Picture(
        "sizes-intake",
        "Taking a connection in",
        "connections",
        "CPU us a connection",
        (Line("connections-idle", "intake_cpu_us", "all-in"),),
        "Bounded by one core for each gateway: the handshake, and who one is.",
    ),
    Picture(
        "sizes-members",
        "1,000 connections in larger rooms",
        "members",
        DELIVERY,
        _parts("members"),
        "A message has its price (the script, the fsync, the row) and each delivery has its own. "
        "In small rooms the first is all there is, in large ones it is shared by the members.",
    ),
    Picture(
        "sizes-known",
        "More rooms known",
        "rooms known",
        DELIVERY,
        _parts("known"),
        "Rooms that nobody is in cost nothing but their keys in Redis, until `ROOM_IDLE`, and "
        "their rows in SQL.",
    ),
)
