"""All systems, in the order of the table."""

from collections.abc import Sequence
from pathlib import Path

from tests.bench.systems.nats import Nats
from tests.bench.systems.parley import Parley
from tests.bench.systems.peers import NodeSocketIo, PythonPeer
from tests.bench.systems.system import System


def systems(root: Path, chosen: Sequence[str]) -> list[System]:
    """The systems of these names; all, if none is named.

    Args:
        root: the checkout that ours is run from.
        chosen: names.
    """
    every: list[System] = [
        Parley("parley-json", root),
        Parley("parley-socketio", root),
        Nats(),
        NodeSocketIo("redis-streams-adapter"),
        NodeSocketIo("redis-adapter"),
        PythonPeer(
            "starlette", "tutorial", "tutorial.py", ("starlette", "uvicorn", "websockets", "redis")
        ),
        PythonPeer(
            "python-socketio",
            "socketio",
            "python_socketio.py",
            ("python-socketio", "python-engineio", "uvicorn", "redis"),
        ),
    ]
    return [system for system in every if not chosen or system.name in chosen]
