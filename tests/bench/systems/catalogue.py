"""All systems, in the order of the table."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.systems.nats import Nats
from tests.bench.systems.parley import Parley
from tests.bench.systems.peers import NodeSocketIo, PythonPeer
from tests.bench.systems.system import System

PYTHON_SOCKETIO = ("python-socketio", "python-engineio", "uvicorn", "redis")
STARLETTE = ("starlette", "uvicorn", "websockets", "redis")

MAKERS: dict[str, Callable[[Path], System]] = {
    "parley-json": lambda root: Parley("parley-json", root),
    "parley-socketio": lambda root: Parley("parley-socketio", root),
    "parley-json-limits": lambda root: Parley("parley-json", root, limits=True),
    "nats": lambda _: Nats(),
    "node-streams": lambda _: NodeSocketIo("redis-streams-adapter"),
    "node-redis": lambda _: NodeSocketIo("redis-adapter"),
    "starlette": lambda _: PythonPeer("starlette", "tutorial", "tutorial", STARLETTE),
    "python-socketio": lambda _: PythonPeer(
        "python-socketio", "socketio", "python_socketio", PYTHON_SOCKETIO
    ),
}
NAMES = tuple(MAKERS)
ASKED_FOR = frozenset({"parley-json-limits"})
"""What is measured only where it is named."""


def systems(root: Path, chosen: Sequence[str]) -> list[System]:
    """The systems of these names; without names, all that run by default.

    Args:
        root: the checkout that ours is run from.
        chosen: names.
    """
    wanted = set(chosen) or set(NAMES) - ASKED_FOR
    return [make(root) for name, make in MAKERS.items() if name in wanted]
