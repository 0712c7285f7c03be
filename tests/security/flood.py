"""Attackers in a process of their own, told on standard input what to attack.

They go on until they are stopped, and say at the end how they fared. At the lowest priority they
get what of the machine nobody else wants, so whatever delays others is work that the server was
made to do.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from shared.command_line import command_line
from tests.support.priority import take_lowest_priority
from tests.support.waiting import eventually

PACE = 0.02
"""Seconds between two bursts of an attacker: it is the server that is tried, not the machine."""
BURST = 40

Send = Callable[[ClientConnection, int], Awaitable[None]]


class Attackers:
    """What they know, and how they fared.

    Args:
        told: `urls` of gateways, `tokens` by kind of flood, the `room` to flood, and how each
            must have fared before they rest, `until`.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self.fared: Counter[str] = Counter()

    async def repelled(self) -> None:
        """Go on until all have fared as they must, or a minute."""

        async def all_have() -> bool:
            return all(self.fared[how] for how in self._told["until"])

        with contextlib.suppress(AssertionError):
            await eventually(all_have)

    async def attack(self) -> None:
        """All at once, through each gateway."""
        floods = {"messages": self.message, "joins": self.join, "nonsense": self.nonsense}
        async with asyncio.TaskGroup() as group:
            for url in self._told["urls"]:
                for kind, send in floods.items():
                    token = self._told["tokens"][kind]
                    group.create_task(self.flood(kind, url, token, send))
                group.create_task(self.connects(url))
                group.create_task(self.asks(url))

    async def flood(self, kind: str, url: str, token: str, send: Send) -> None:
        """Send for as long as one may stay, and come back from another address."""
        while True:
            address = f"10.128.{'.'.join(map(str, os.urandom(2)))}"
            headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
            try:
                async with connect(f"{url}/ws", additional_headers=headers) as socket:
                    receiving = asyncio.create_task(self.receive(kind, socket))
                    with contextlib.suppress(ConnectionClosed):
                        for number in range(sys.maxsize):
                            await send(socket, number)
                            await asyncio.sleep(PACE)
                    await receiving
            except (InvalidHandshake, OSError, TimeoutError) as error:
                self.fared[f"{kind}: {status_of(error)}"] += 1
            await asyncio.sleep(PACE)

    async def receive(self, kind: str, socket: ClientConnection) -> None:
        """Count what one is told."""
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                frame = json.loads(text)
                if frame["event"] == "error":
                    self.fared[f"{kind}: {frame['data']['code']}"] += 1
        self.fared[f"{kind}: {socket.close_code}"] += 1

    async def message(self, socket: ClientConnection, number: int) -> None:
        """Say something, again and again."""
        room = self._told["room"]
        if number == 0:
            await socket.send(json.dumps({"event": "joinRoom", "data": {"room": room}}))
        text = json.dumps({"event": "message", "data": {"room": room, "content": "flood"}})
        for _ in range(BURST):
            await socket.send(text)

    async def join(self, socket: ClientConnection, number: int) -> None:
        """Knock at rooms that there are not, and at one that there is."""
        for step in range(BURST):
            room = self._told["room"] if step % 2 else f"no room {number} {step}"
            await socket.send(json.dumps({"event": "joinRoom", "data": {"room": room}}))

    async def nonsense(self, socket: ClientConnection, number: int) -> None:
        """Send what is no frame."""
        for _ in range(BURST):
            await socket.send(f"{{{number}" * 20)

    async def connects(self, url: str) -> None:
        """Connect and hang up, from one address."""
        headers = {"X-Forwarded-For": "10.9.9.9"}
        while True:
            try:
                async with connect(f"{url}/ws", additional_headers=headers):
                    self.fared["connects: in"] += 1
            except (InvalidHandshake, OSError, TimeoutError) as error:
                self.fared[f"connects: {status_of(error)}"] += 1
            await asyncio.sleep(PACE / BURST)

    async def asks(self, url: str) -> None:
        """Ask over REST, and open sessions of Socket.IO, from one address."""
        base, headers = url.replace("ws", "http", 1), {"X-Forwarded-For": "10.9.9.8"}
        async with httpx.AsyncClient(base_url=base, headers=headers) as http:
            while True:
                for path in ("/chats/1", "/socket.io/?EIO=4&transport=polling"):
                    with contextlib.suppress(httpx.HTTPError):
                        answer = await http.get(path)
                        self.fared[f"asks: {answer.status_code}"] += 1
                await asyncio.sleep(PACE / 4)


def status_of(error: Exception) -> str:
    """What an attacker sees of a refusal."""
    return str(error.response.status_code) if isinstance(error, InvalidStatus) else "no connection"


async def main() -> None:
    """Attack until standard input ends."""
    take_lowest_priority()
    attackers = Attackers(json.loads(sys.stdin.readline()))
    attacking = asyncio.create_task(attackers.attack())
    await asyncio.to_thread(sys.stdin.readline)
    await attackers.repelled()
    attacking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await attacking
    print(json.dumps(attackers.fared))


if __name__ == "__main__":
    command_line("tests.security.flood", __doc__).parse_args()
    asyncio.run(main())
