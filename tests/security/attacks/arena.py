"""A cluster, honest users in it, and what an attack does to both."""

import asyncio
import contextlib
import itertools
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import psutil

from tests.security.attacks.attack import Attack, Fared, Order
from tests.security.attacks.catalogue import values
from tests.security.attacks.honest import Honest
from tests.security.doors import GUARDED, new_address, pass_for
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.priority import spinner
from tests.support.process import ROOT
from tests.support.waiting import eventually

IDLE_SECONDS: Final = 0.5
IDLE_CORES: Final = 0.15
"""A cluster that uses less of the machine for so long has nothing left to do."""
MESSAGES: Final = 60
"""Messages of the flooded room: as many as a user may say at once."""
BURST: Final = 20
BURSTS: Final = {
    "RATE_USER_CONNECTIONS": f"1/1s:{BURST}",
    "RATE_MESSAGES": f"20/1s:{MESSAGES}",
    "RATE_JOINS": f"10/1s:{BURST}",
    "RATE_HISTORY": f"10/1s:{BURST}",
    "RATE_REQUESTS": f"50/1s:{BURST}",
    "RATE_REST": f"20/1s:{BURST}",
    "RATE_CONNECTIONS": f"20/1s:{BURST}",
}
"""The usual rates, of which less may be used at once: what counts is what goes on."""
FILLERS: Final = 4
"""Users who fill the room: as much as a page may have."""
REFUSED_SECONDS: Final = 60.0
"""A health check that is not answered by 200 counts as one that took so long."""
ERROR: Final = re.compile(r'"level": "(error|critical)"|Traceback')
WATCHED: Final = ("gateway-1", "gateway-2", "redis", "persister-1")


SETTINGS: Final = {**GUARDED, **BURSTS, "LOG_FORMAT": "json"}


class Measured(msgspec.Struct):
    """What a span of time was like.

    Attributes:
        seconds: its length.
        cpu: seconds of a core that each process took.
        trips: seconds of each round trip of an honest message, sorted.
        failed: honest messages that were refused or not answered.
        health: seconds of the slowest health check.
        grown: bytes that each process grew by, at most.
        errors: what the cluster logged as an error.
        fared: how the attackers fared in it; None if there were none.
    """

    seconds: float
    cpu: dict[str, float]
    trips: list[float]
    failed: int
    health: float
    grown: dict[str, int]
    errors: list[str]
    fared: Fared | None = None

    def trip(self, share: float) -> float:
        """The round trip, in seconds, that this share of them did not exceed."""
        return self.trips[min(len(self.trips) - 1, int(len(self.trips) * share))]

    @property
    def busy(self) -> float:
        """Cores that the cluster kept busy."""
        return sum(self.cpu.values()) / self.seconds


class Arena:
    """A cluster that wants tokens and limits rates, with honest users at its first gateway.

    Args:
        root: the folder with the packages to run.
        env: settings on top.
    """

    def __init__(self, root: Path = ROOT, env: dict[str, str] | None = None) -> None:
        self.cluster = Cluster(root=root, env={**SETTINGS, **(env or {})})
        self._stack = AsyncExitStack()
        self.honest = Honest("")
        self._attacks = itertools.count(1)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.cluster)
        try:
            self.honest = Honest(self.cluster.gateway_url(1))
            await self._stack.enter_async_context(self.honest)
            await self._fill_room()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _fill_room(self) -> None:
        """Make the room that attackers know, with a page of the longest messages."""
        await asyncio.gather(*(self._fill(number) for number in range(FILLERS)))

    async def _fill(self, number: int) -> None:
        url, user = self.cluster.gateway_url(1), f"filler {number}"
        async with Peer(url, token=pass_for(user), headers=new_address()) as peer:
            # Memory for hashing is taken once, and kept.
            await peer.emit("createRoom", {"name": user, "password": values.PASSWORD})
            with contextlib.suppress(Refusal):  # another one has made it
                await peer.request("createRoom", {"name": values.ROOM})
            await peer.request("joinRoom", {"room": values.ROOM})
            content = values.longest_content(number)
            for _ in range(MESSAGES):
                await peer.request("message", {"room": values.ROOM, "content": content})

    async def span(
        self,
        seconds: float,
        attackers: "Attackers | None" = None,
        memory: dict[str, int] | None = None,
    ) -> Measured:
        """Let honest users talk for so long, and measure.

        Args:
            seconds: the length of the span.
            attackers: who attack meanwhile.
            memory: bytes that each process had before they began.
        """
        watched, memory = self._processes(), memory or self.memory()
        # Before the span begins: attackers of the lowest priority may take long to say it.
        sent = await attackers.report() if attackers else None
        begun, cpu = time.monotonic(), {name: _cpu(each) for name, each in watched.items()}
        lines = len(self.cluster.lines)
        grown = dict.fromkeys(watched, 0)
        health = [0.0]
        aside = [
            asyncio.create_task(self._watch_memory(memory, grown)),
            asyncio.create_task(self._check_health(health)),
        ]
        self.honest.clear()
        try:
            await self.honest.talk(begun + seconds)
        finally:
            for task in aside:
                task.cancel()
            await asyncio.gather(*aside, return_exceptions=True)
        took, after = time.monotonic() - begun, {n: _cpu(each) for n, each in watched.items()}
        return Measured(
            seconds=took,
            cpu={name: after[name] - cpu[name] for name in watched},
            trips=sorted(self.honest.trips),
            failed=self.honest.failed,
            health=health[0],
            grown=grown,
            errors=[line for line in self.cluster.lines[lines:] if ERROR.search(line)],
            fared=(await attackers.report()).since(sent) if attackers and sent else None,
        )

    def memory(self) -> dict[str, int]:
        """Bytes that each process has."""
        return {name: each.memory_info().rss for name, each in self._processes().items()}

    def _processes(self) -> dict[str, psutil.Process]:
        return {name: psutil.Process(self.cluster.pid(name)) for name in WATCHED}

    async def _watch_memory(self, before: dict[str, int], grown: dict[str, int]) -> None:
        while True:
            for name, size in self.memory().items():
                grown[name] = max(grown[name], size - before[name])
            await asyncio.sleep(0.1)

    async def _check_health(self, worst: list[float]) -> None:
        while True:
            for path in ("/health/live", "/health/ready"):
                begun = time.monotonic()
                try:
                    if not await _get(self.cluster.gateway_port(1), path):
                        worst[0] = REFUSED_SECONDS
                finally:  # also one that is still unanswered at the end
                    worst[0] = max(worst[0], time.monotonic() - begun)
            await asyncio.sleep(0.1)

    async def settle(self) -> None:
        """Wait until the attackers' work is done, and the honest users are served."""
        await self.honest.recover()

        async def idle() -> bool:
            before = sum(map(_cpu, self._processes().values()))
            await asyncio.sleep(IDLE_SECONDS)
            return sum(map(_cpu, self._processes().values())) - before < IDLE_CORES * IDLE_SECONDS

        await eventually(idle)

    @asynccontextmanager
    async def attacked(
        self, attack: Attack, module: str = "attacker"
    ) -> AsyncIterator["Attackers"]:
        """Attack the first gateway while the block runs.

        Args:
            attack: what the attackers send.
            module: which of the modules beside this one they run.
        """
        count = attack.connections if attack.users else 1
        number = next(self._attacks)
        users = tuple(f"attacker-{number:04}-{n:02}" for n in range(count))
        order = Order(
            attack,
            self.cluster.gateway_port(1),
            new_address()["X-Forwarded-For"],
            users,
            tuple(map(pass_for, users)),
        )
        async with Attackers(f"tests.security.attacks.{module}", order) as attackers:
            yield attackers


class Attackers:
    """The process of the attackers.

    Args:
        module: what it runs.
        order: what it is told.
    """

    def __init__(self, module: str, order: msgspec.Struct) -> None:
        self._module = module
        self._order = order
        self._process: Any = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._module),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**20,
        )
        try:
            self._process.stdin.write(msgspec.json.encode(self._order) + b"\n")
            await self.report()
        except BaseException:
            self._process.kill()
            raise
        return self

    async def report(self) -> Fared:
        """How they fared so far."""
        self._process.stdin.write(b"\n")
        return msgspec.json.decode(await self._process.stdout.readline(), type=Fared)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def spinning() -> AsyncIterator[None]:
    """Load the machine as attackers do, at the lowest priority, and leave the server alone."""
    with spinner() as process:
        try:
            yield
        finally:
            process.kill()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _get(port: int, path: str) -> bool:
    try:
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            answer = await reader.read()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return answer.startswith(b"HTTP/1.1 200")
