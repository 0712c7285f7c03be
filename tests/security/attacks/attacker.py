"""Attackers in a process of their own, told on standard input what to send.

For each further line they write a line with how they fared so far; at the end of standard input
they stop. At the lowest priority they get what of the machine nobody else wants, so whatever delays
others is work that the server was made to do.
"""

import asyncio
import contextlib
import itertools
import socket
import sys
from collections import Counter
from collections.abc import Coroutine
from typing import Any, Final

import msgspec

from shared.command_line import command_line
from tests.security.attacks.attack import Attack, Fared, Order, handshake
from tests.security.attacks.polling import flood_by_polling
from tests.security.raw import CLOSE
from tests.support.priority import take_lowest_priority

READ_BYTES: Final = 1 << 18
SEND_BUFFER_BYTES: Final = 1 << 16
"""What waits in a larger buffer of the attackers' own would count as taken by the server."""
RETRY_SECONDS: Final = 0.05


class CloseCodes:
    """Finds the close code in what a server sends: its frames are not masked.

    Attributes:
        found: the code; empty before it has come.
    """

    def __init__(self) -> None:
        self.found = ""
        self._rest = b""
        self._skip = 0

    def feed(self, data: bytes) -> None:
        """Take more of the bytes."""
        data = self._rest + data
        at = self._skip
        while at + 2 <= len(data):
            size, start = data[at + 1] & 127, at + 2
            if size >= 126:
                start = at + (4 if size == 126 else 10)
                if start > len(data):
                    break
                size = int.from_bytes(data[at + 2 : start], "big")
            if data[at] & 15 == CLOSE and start + 2 <= len(data):
                self.found = str(int.from_bytes(data[start : start + 2], "big"))
            at = start + size
        self._rest, self._skip = data[at:], max(0, at - len(data))


class Attacker:
    """One connection, which is opened again whenever it ends.

    Args:
        order: what the attackers are told.
        number: of the connection, counted from 0.
        fared: how they fared.
    """

    def __init__(self, order: Order, number: int, fared: Fared) -> None:
        self._order = order
        self._number = number
        self._fared = fared

    async def attack(self, attack: Attack) -> None:
        """Go on with an attack until the task is cancelled."""
        opening = self._order.pieces(self._number, attack.opening)
        pieces = self._order.pieces(self._number, attack.pieces)
        while True:
            await self.visit(attack, opening, pieces)
            # After a piece that ended a connection, the next one gets its turn.
            pieces.append(pieces.pop(0))
            await asyncio.sleep(RETRY_SECONDS)

    async def visit(self, attack: Attack, opening: list[bytes], pieces: list[bytes]) -> None:
        """Open a connection, and send for as long as it is there.

        Args:
            attack: says by which door, and if answers are read.
            opening: what is sent first.
            pieces: what is sent in a loop.
        """
        token = self._order.token(self._number) if attack.login else ""
        try:
            if attack.door == "polling":
                await flood_by_polling(self._order, token, (opening, pieces), self._fared)
            else:
                await self._visit(attack, token, opening, pieces)
        except (OSError, asyncio.IncompleteReadError) as error:
            self._fared.ended[type(error).__name__] += 1

    async def _visit(
        self, attack: Attack, token: str, opening: list[bytes], pieces: list[bytes]
    ) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._order.port)
        connected = writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        try:
            if attack.door != "http":
                writer.write(handshake(attack.door, token, self._order.address))
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 101"):
                    self._fared.ended[f"HTTP {head[9:12].decode()}"] += 1
                    return
            self._fared.opened += 1
            await self._stay(attack, reader, self._send(writer, opening, pieces))
        finally:
            writer.transport.abort()

    async def _stay(
        self, attack: Attack, reader: asyncio.StreamReader, send: Coroutine[Any, Any, None]
    ) -> None:
        """Send and read until the server has hung up, or for as long as it takes bytes."""
        sending = asyncio.create_task(send)
        reading = asyncio.create_task(self._read(attack, reader)) if attack.reads else None
        try:
            waited = [sending] if reading is None or attack.lingers else [sending, reading]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in filter(None, (sending, reading)):
                task.cancel()
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await task

    async def _send(
        self, writer: asyncio.StreamWriter, opening: list[bytes], pieces: list[bytes]
    ) -> None:
        for piece in opening:
            writer.write(piece)
        for piece in itertools.cycle(pieces):
            writer.write(piece)
            await writer.drain()
            self._fared.sent += len(piece)
            self._fared.pieces += 1
            await asyncio.sleep(0)

    async def _read(self, attack: Attack, reader: asyncio.StreamReader) -> None:
        codes = CloseCodes()
        try:
            while data := await reader.read(READ_BYTES):
                if attack.door == "http":
                    for status in ("408", "429", "431"):
                        count = data.count(f"HTTP/1.1 {status}".encode())
                        self._fared.ended[f"HTTP {status}"] += count
                elif not codes.found:
                    codes.feed(data)
                    if codes.found and not attack.lingers:
                        break
        finally:
            self._fared.ended[codes.found or "hung up"] += 1


async def report(attacking: Coroutine[Any, Any, None], fared: Fared) -> None:
    """Attack until standard input ends; write a line with how it went for each line."""
    task = asyncio.create_task(attacking)
    while await asyncio.to_thread(sys.stdin.buffer.readline):
        if task.done():
            task.result()
        print(msgspec.json.encode(fared).decode(), flush=True)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def main() -> None:
    """Hold all connections of an attack."""
    take_lowest_priority()
    line = await asyncio.to_thread(sys.stdin.buffer.readline)
    order = msgspec.json.decode(line, type=Order)
    fared = Fared(ended=Counter())

    async def attack() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(order.attack.connections):
                group.create_task(Attacker(order, number, fared).attack(order.attack))

    await report(attack(), fared)


if __name__ == "__main__":
    command_line("tests.security.attacks.attacker", __doc__).parse_args()
    asyncio.run(main())
