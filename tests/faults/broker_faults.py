"""Faults of the broker: its data is lost, older, or on another server."""

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from deploy.servers.aof import FOLDER, newest
from tests.faults.arena import Arena
from tests.faults.evidence import cursors_in
from tests.faults.strike import Strike, fault
from tests.support.valkey import Valkey
from tests.support.waiting import eventually, until_gone

ASK_DIGEST: Final = (
    "import sys; from shared.broker.scripts import digest; print(digest(sys.argv[1]))"
)

POISON: Final = """
local counter = redis.call('HINCRBY', KEYS[1], 'counter', 1)
return redis.call('XADD', KEYS[2], counter .. '-0', ARGV[1], ARGV[2])
"""


@fault("CLIENT KILL of pub/sub", within=3, seconds=1.5)
async def _pubsub_killed(arena: Arena, strike: Strike) -> None:
    await arena.history.in_flight()
    strike.begin()
    killed = await arena.command("CLIENT", "KILL", "TYPE", "pubsub")
    strike.end()
    strike.target = f"{killed} connections"


@fault("SCRIPT FLUSH", seconds=1)
async def _scripts_lost(arena: Arena, strike: Strike) -> None:
    await arena.history.in_flight()
    strike.begin()
    await arena.command("SCRIPT", "FLUSH")
    strike.end()


@fault("FLUSHALL", destroys=True)
async def _all_flushed(arena: Arena, strike: Strike) -> None:
    await arena.history.in_flight()
    await note_loss(arena, strike)
    strike.begin()
    await arena.command("FLUSHALL")
    strike.end()


@fault("the reply lost after the script ran", seconds=2)
async def _reply_lost(arena: Arena, strike: Strike) -> None:
    gateways = [arena.proxies[name] for name in arena.gateways]
    before = sum(proxy.replies_lost for proxy in gateways)

    async def lost() -> bool:
        return sum(proxy.replies_lost for proxy in gateways) >= before + 3

    strike.begin()
    for proxy in gateways:
        proxy.lose_replies(script_sha(arena.root, "publish"))
    try:
        await eventually(lost)
    finally:
        for proxy in gateways:
            proxy.lose_replies(None)
    strike.end()
    strike.target = f"{sum(proxy.replies_lost for proxy in gateways) - before} replies"


def script_sha(root: Path, name: str) -> bytes:
    """The digest of a script of the sources in a folder."""
    said = subprocess.run(
        [sys.executable, "-c", ASK_DIGEST, name], cwd=root, capture_output=True, check=True
    )
    return said.stdout.strip()


@fault("a poison entry", "durable", seconds=2)
async def _poisoned(arena: Arena, strike: Strike) -> None:
    keys = await arena.keys()
    numbers = arena.random.sample(range(len(keys)), 3)
    strike.target = f"partitions {sorted(numbers)}"
    await arena.history.in_flight()
    strike.begin()
    for number in numbers:
        part = keys[number]
        data = arena.random.randbytes(40)
        room = part.room("r:nowhere")
        await arena.command("EVAL", POISON, 2, part.record, part.stream, data, room)
    strike.end()


@asynccontextmanager
async def redis_down(arena: Arena, strike: Strike) -> AsyncIterator[Path]:
    """Redis killed, and its files to be changed before it starts again: the AOF's folder."""
    cluster = arena.cluster
    await arena.history.in_flight()
    # While the supervisor is paused nothing starts Redis again.
    cluster.kill("cluster", signal.SIGSTOP)
    try:
        strike.begin()
        pid = cluster.kill("redis")
        await until_gone(pid)
        yield cluster.data_dir / FOLDER
    finally:
        cluster.kill("cluster", signal.SIGCONT)
    await cluster.wait_restarted("redis", pid)
    await arena.broker_answers()
    strike.end()


@asynccontextmanager
async def power_lost(arena: Arena, strike: Strike) -> AsyncIterator[Path]:
    """The power fails: the AOF is cut back to its last fsync. Its last file, to add torn bytes.

    Answers are held back first, so whatever is in the file by then and was answered was synced
    before; what comes after was answered to nobody, and a disk may have lost it.
    """
    for proxy in arena.proxies.values():
        proxy.hold("up", "down")
    # Its own answer comes after the fsync of everything before it.
    await arena.command("PING")
    last = newest(arena.cluster.data_dir / FOLDER)
    assert last is not None
    synced = last.stat().st_size
    for proxy in arena.proxies.values():
        proxy.let_go()
        proxy.hold("down")
    await asyncio.sleep(arena.random.uniform(0.02, 0.1))
    async with redis_down(arena, strike):
        with last.open("r+b") as opened:
            opened.truncate(synced)
        yield last
        for proxy in arena.proxies.values():
            proxy.cut()
            proxy.let_go()


@fault("AOF cut to the last fsync, half a command after it", seconds=4)
async def _aof_torn(arena: Arena, strike: Strike) -> None:
    async with power_lost(arena, strike) as last:
        with last.open("ab") as opened:
            opened.write(b"*3\r\n$3\r\nSET\r\n$5\r\nsome")


@fault("AOF cut to the last fsync, garbage after it", seconds=5)
async def _aof_garbage(arena: Arena, strike: Strike) -> None:
    async with power_lost(arena, strike) as last:
        with last.open("ab") as opened:
            opened.write(b"\x00\xff\x00" + arena.random.randbytes(500))


@fault("an older AOF restored", destroys=True, seconds=5)
async def _aof_older(arena: Arena, strike: Strike) -> None:
    if arena.kept is None:
        arena.kept = keep_aof(arena)
        await asyncio.sleep(1)
    await note_loss(arena, strike)
    async with redis_down(arena, strike) as folder:
        shutil.rmtree(folder)
        shutil.copytree(arena.kept, folder)
    arena.kept = keep_aof(arena)


def keep_aof(arena: Arena) -> Path:
    """Copy what the broker has on disk."""
    copy = arena.cluster.data_dir / "older"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(arena.cluster.data_dir / FOLDER, copy)
    return copy


@fault("failover to a replica that lags, and back", destroys=True, seconds=7)
async def _failover(arena: Arena, strike: Strike) -> None:
    password = arena.broker_password
    async with Valkey(password) as replica:
        own, other = arena.cluster.port + 500, replica.port
        await replica.admin.replicaof("127.0.0.1", own)
        await caught_up(replica.admin.execute_command)
        await arena.history.in_flight()
        strike.begin()
        await replica.admin.replicaof("NO", "ONE")
        # What is accepted from here on the replica does not get.
        await asyncio.sleep(arena.random.uniform(0.1, 0.4))
        await note_loss(arena, strike)
        lead_to(arena, other)
        await asyncio.sleep(arena.random.uniform(1.5, 2.5))
        await arena.command("CONFIG", "SET", "masterauth", password)
        await arena.command("REPLICAOF", "127.0.0.1", other)
        await caught_up(arena.command)
        await arena.command("REPLICAOF", "NO", "ONE")
        await note_loss(arena, strike)
        lead_to(arena, own)
        strike.end()


async def note_loss(arena: Arena, strike: Strike) -> None:
    """Note what SQL has, before a fault that may destroy everything else."""
    strike.losses.append(await arena.positions())
    strike.seen.append(await cursors_in(arena))


def lead_to(arena: Arena, port: int) -> None:
    """Lead every process to the server at a port."""
    for proxy in arena.proxies.values():
        proxy.switch(port)


async def caught_up(command: Callable[..., Awaitable[Any]]) -> None:
    """Wait until a replica follows its primary."""

    async def linked() -> bool:
        info = await command("INFO", "replication")
        words = str(info)
        return "'master_link_status': 'up'" in words or "master_link_status:up" in words

    await eventually(linked, 30)
