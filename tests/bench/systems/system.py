"""The interface of a system to the bench: it starts, has an address, and stops."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tests.bench.plan import Scenario


class NotHereError(Exception):
    """A system that cannot be measured on this machine; the text says why, in a few words."""


class Running(Struct, frozen=True):
    """A system that runs.

    Attributes:
        dialect: how it is spoken to.
        endpoints: its nodes, `ws://host:port`.
        processes: pids by what they are.
        stored: the SQLite file of a durable system.
        balancer: the same through its load balancer, if it has one.
    """

    dialect: str
    endpoints: tuple[str, ...]
    processes: dict[str, list[int]]
    stored: str | None = None
    balancer: str = ""


class System(Protocol):
    """A system that can be started afresh for each measurement.

    Attributes:
        name: in the command line and the table.
        resumes: whether who comes back gets what was missed.
        balanced: whether it comes with a load balancer.
    """

    name: str
    resumes: bool
    balanced: bool

    def version(self) -> str:
        """The versions of its parts.

        Raises:
            NotHereError: it is not installed.
        """
        ...

    def start(self, scenario: Scenario, folder: Path) -> AbstractAsyncContextManager[Running]:
        """Start it; leaving the context stops it.

        Args:
            scenario: what it is started for.
            folder: an empty folder for its data.
        """
        ...
