"""npm's socket.io-client in a process of Node's, driven from a test."""

import asyncio
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from tests.support.waiting import HANGS_AFTER

Line = dict[str, Any]
Version = Literal["newest", "4.6.0"]
VERSIONS: tuple[Version, ...] = ("newest", "4.6.0")
FOLDER = Path(__file__).parent
TRANSPORTS: dict[str, dict[str, Any]] = {
    "default": {},
    "polling": {"transports": ["polling"]},
    "websocket": {"transports": ["websocket"]},
}
QUICK: Final[dict[str, Any]] = {
    "reconnectionDelay": 50,
    "reconnectionDelayMax": 200,
    "timeout": 5000,
}
"""Options of clients that come back soon."""


class Client:
    """One client: emits, asks, and keeps all that happens to it.

    Attributes:
        lines: what happened, oldest first: `what` is connect, disconnect, connect_error, upgrade
            or event.
    """

    def __init__(self, node: "Node", name: str) -> None:
        self._node = node
        self._name = name
        self._taken = 0
        self._answers: dict[int, asyncio.Future[list[Any]]] = {}
        self._ids = itertools.count(1)
        self.lines: list[Line] = []

    def emit(self, event: str, *args: object) -> None:
        """Emit an event."""
        self._node.tell(do="emit", client=self._name, event=event, args=args)

    async def ask(self, event: str, *args: object, within: float = HANGS_AFTER) -> Any:  # noqa: ANN401 - any payload
        """Emit an event and return the first argument of its acknowledgement."""
        id_ = next(self._ids)
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._answers[id_] = answer
        self._node.tell(do="request", client=self._name, event=event, args=args, id=id_)
        async with asyncio.timeout(within):
            args_back = await answer
        assert len(args_back) == 1, args_back
        return args_back[0]

    async def next(self, what: str, within: float = HANGS_AFTER) -> Line:
        """The next line of this kind; those before it are passed over for good."""
        return await self._find(lambda line: line["what"] == what, within)

    async def event(self, name: str, within: float = HANGS_AFTER) -> list[Any]:
        """The arguments of the next event of this name; what came before is passed over."""
        found = await self._find(
            lambda line: line["what"] == "event" and line["event"] == name, within
        )
        args: list[Any] = found["args"]
        return args

    async def notified(self, content: str) -> dict[str, Any]:
        """Wait for the notification that says this; others, of who connects and goes, may come."""
        while (told := (await self.event("notification"))[0])["content"] != content:
            pass
        found: dict[str, Any] = told
        return found

    async def until(self, count: int, name: str, within: float = HANGS_AFTER) -> list[Any]:
        """Wait until so many events of this name came in all; the first argument of each."""
        async with asyncio.timeout(within):
            while len(found := self.all(name)) < count:
                await self._node.news()
        return found

    def all(self, name: str) -> list[Any]:
        """The first argument of each event of this name so far."""
        return [args[0] for args in self.all_args(name)]

    def all_args(self, name: str) -> list[list[Any]]:
        """The arguments of each event of this name so far."""
        return [
            line["args"] for line in self.lines if line["what"] == "event" and line["event"] == name
        ]

    def was(self, what: str) -> list[Line]:
        """All lines of a kind so far."""
        return [line for line in self.lines if line["what"] == what]

    @property
    def gateway(self) -> str:
        """The gateway that its present session began at."""
        engine: str = self.was("connect")[-1]["engine"]
        return engine.split(".", maxsplit=1)[0]

    def cut(self) -> None:
        """Break its connection; it comes back by itself."""
        self._node.tell(do="cut", client=self._name)

    def disconnect(self) -> None:
        """Say goodbye."""
        self._node.tell(do="disconnect", client=self._name)

    def reconnect(self, auth: dict[str, Any] | None = None) -> None:
        """Connect again after a goodbye."""
        self._node.tell(do="reconnect", client=self._name, auth=auth)

    def forge(self, *, pid: str | None = None, offset: object = None) -> None:
        """Let it show another pid or offset when it comes back."""
        change = {"pid": pid, "offset": offset}
        given = {name: value for name, value in change.items() if value is not None}
        self._node.tell(do="set", client=self._name, **given)

    def happened(self, line: Line) -> None:
        """Take a line of the driver's."""
        if line["what"] != "answer":
            self.lines.append(line)
        elif not (answer := self._answers.pop(line["id"])).done():
            answer.set_result(line["args"])

    async def _find(self, matches: Callable[[Line], bool], within: float) -> Line:
        try:
            async with asyncio.timeout(within):
                while True:
                    while self._taken < len(self.lines):
                        line = self.lines[self._taken]
                        self._taken += 1
                        if matches(line):
                            return line
                    await self._node.news()
        except TimeoutError:
            raise AssertionError(f"not within {within:g} s; last: {self.lines[-5:]}") from None


class Node:
    """A process of Node's that holds clients: `async with Node() as node`."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._names = (f"client {n}" for n in itertools.count(1))
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news: asyncio.Future[None] | None = None
        self._ended = False

    async def connect(self, url: str, *, version: Version = "newest", **options: object) -> Client:
        """A client of `url`, once it is connected; options as `io` takes them."""
        client = self.begin(url, version=version, **options)
        await client.next("connect")
        return client

    async def connect_to(
        self, gateway: str, url: str, *, version: Version = "newest", **options: object
    ) -> Client:
        """As `connect`, by a load balancer, until it chose this gateway."""
        # One that is elsewhere stays for a while, so that the load balancer chooses another.
        elsewhere: list[Client] = []
        try:
            for _ in range(50):
                client = await self.connect(url, version=version, **options)
                if client.gateway == gateway:
                    return client
                elsewhere.append(client)
        finally:
            for client in elsewhere:
                client.disconnect()
        raise AssertionError(f"the load balancer never chose {gateway}")

    def begin(self, url: str, *, version: Version = "newest", **options: object) -> Client:
        """A client that begins to connect."""
        name = next(self._names)
        client = self._clients[name] = Client(self, name)
        self.tell(do="connect", client=name, url=url, version=version, options=options)
        return client

    def tell(self, **command: object) -> None:
        """Write a command."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def news(self) -> None:
        """Wait until something happens."""
        if self._ended:
            raise AssertionError("Node has ended")
        if self._news is None or self._news.done():
            self._news = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._news)

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            "node",
            "driver.mjs",
            cwd=FOLDER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**26,
        )
        self._reading = asyncio.create_task(self._read(self._process.stdout))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reading is not None
        self._process.stdin.close()
        await self._reading
        await self._process.wait()

    async def _read(self, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None
        async for text in stream:
            line = json.loads(text)
            if (client := self._clients.get(line["client"])) is not None:
                client.happened(line)
            self._tell_news()
        self._ended = True
        self._tell_news()

    def _tell_news(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
