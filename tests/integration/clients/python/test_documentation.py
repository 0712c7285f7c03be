"""The examples of `docs/reference/python.md`, run as they stand there."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from parley_chat import ChatClient
from tests.integration.clients.python.listening import (
    ROOT,
    gateway_in,
    restarted,
)
from tests.support.cluster import Cluster
from tests.support.waiting import HANGS_AFTER

TEXT = (ROOT / "docs" / "reference" / "python.md").read_text()
TALK, DIRECT, WATCH = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
PRINTED, PRINTED_DIRECT = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)


@asynccontextmanager
async def example(
    cluster: Cluster, code: str, room: str = "general", bob: str = "bob"
) -> AsyncIterator[Process]:
    """Run an example against this cluster, in a room or for a user that no other test has."""
    for port, url in (
        (8080, cluster.url),
        (8081, cluster.gateway_url(1)),
        (8082, cluster.gateway_url(2)),
    ):
        code = code.replace(f"127.0.0.1:{port}", urlsplit(url).netloc)
    code = code.replace('"general"', repr(room)).replace('"bob"', repr(bob))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, stdout=PIPE
    )
    try:
        async with asyncio.timeout(HANGS_AFTER):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_connect_and_talk(cluster: Cluster, room: str) -> None:
    """The first example prints what the page says it prints."""
    async with example(cluster, TALK, room) as process:
        out, _ = await process.communicate()
    assert (process.returncode, out.decode()) == (0, PRINTED)


async def test_direct_chats(cluster: Cluster) -> None:
    """The example about direct chats prints what the page says it prints."""
    async with example(cluster, DIRECT) as process:
        out, _ = await process.communicate()
    assert (process.returncode, out.decode()) == (0, PRINTED_DIRECT)


async def test_when_the_connection_is_lost(cluster: Cluster, room: str) -> None:
    """The example about lost connections sees what the page promises, with a gateway killed."""
    gateways = [cluster.gateway_url(2), cluster.gateway_url(1)]
    async with ChatClient(gateways, username="ann", listen=False) as ann:
        await ann.create_room(room)
        await ann.join_room(room)
        async with example(cluster, WATCH, room) as process:
            assert process.stdout is not None
            connected = (await process.stdout.readline()).decode()
            assert "again=False" in connected
            await ann.send(room, "before")
            while await process.stdout.readline() != b"1 before\n":
                await ann.send(room, "before", "only once")
            doomed = gateway_in(cluster, connected)
            killed = cluster.kill(doomed)
            assert (await process.stdout.readline()).startswith(b"Disconnected(")
            await ann.send(room, "missed")
            assert b"again=True" in await process.stdout.readline()
            seen = [await process.stdout.readline(), await process.stdout.readline()]
            assert min(seen).endswith(b" missed\n")
            assert any(line.startswith(b"CaughtUp(") for line in seen)
        await restarted(cluster, doomed, killed)
