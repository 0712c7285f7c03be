"""The connection for commands, where it breaks."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvloop
from redis.exceptions import ResponseError

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.sessions.tickets import TicketBroker
from shared.broker.transport.client import UNAVAILABLE, connect
from shared.errors import ChatError
from tests.support.valkey import Valkey
from tests.support.waiting import eventually

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: closing resets the connection."""


@contextmanager
def resetting_server() -> Iterator[int]:
    """A server that resets every connection as soon as it is made; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    taken, _ = listener.accept()
                except OSError:
                    return
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                taken.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


async def ask_often(port: int) -> set[str]:
    """Ask a server that always resets, many at a time; what was raised that does not say so."""
    client: Any = connect(f"redis://127.0.0.1:{port}/0")
    strange = set()

    async def ask() -> None:
        for _ in range(20):
            try:
                await client.execute_command("PING")
            except UNAVAILABLE:
                continue
            except Exception as error:  # noqa: BLE001 - which one is the question
                strange.add(type(error).__name__)

    await asyncio.gather(*(ask() for _ in range(100)))
    await client.aclose()
    return strange


async def test_a_connection_that_is_reset_at_once_is_an_unavailable_broker() -> None:
    """On the event loop of gateways, too, a reset is never anything but an unavailable broker."""
    with resetting_server() as port:
        assert await asyncio.to_thread(uvloop.run, ask_often(port)) == set()


async def test_a_server_that_is_busy_with_a_script(server: Valkey) -> None:
    """While a script keeps the server from all else, whatever is asked says that it passes."""
    tickets = TicketBroker(server.client(), Keyspace("test", 1))
    setting = "busy-reply-threshold"
    before = await server.admin.config_get(setting)
    await server.admin.config_set(setting, 1)
    client: Any = server.client()
    endless = asyncio.create_task(client.execute_command("EVAL", "while true do end", 0))

    async def refused() -> ChatError | None:
        try:
            await tickets.take("nobody's")
        except ChatError as error:
            return error
        return None

    try:
        error = await eventually(refused)
    finally:
        await server.admin.script_kill()
        with pytest.raises(ResponseError, match="killed"):
            await endless  # the server refuses all else until then
        await server.admin.config_set(setting, before[setting])  # the next tests have it, too
    assert error is not None
    assert (error.code, error.retryable) == ("broker_unavailable", True)
