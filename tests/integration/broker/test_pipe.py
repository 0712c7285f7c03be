"""The pipe: many commands in one write, and a clear end for each when the server goes."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from shared.broker.transport.pipe import Pipe
from shared.broker.transport.resp import pack
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.valkey import Valkey
from tests.support.waiting import eventually


async def test_replies_come_in_order(server: Valkey) -> None:
    """A thousand commands of one turn get each its own reply."""
    pipe = server.pipe()
    replies = await asyncio.gather(*(pipe.call(pack("ECHO", str(n))) for n in range(1000)))
    assert replies == [str(n).encode() for n in range(1000)]


async def test_an_error_is_of_one_command(server: Valkey) -> None:
    """A command that the server refuses fails alone."""
    pipe = server.pipe()
    first = pipe.call(pack("SET", "a", "b"))
    wrong = pipe.call(pack("INCR", "a"))
    last = pipe.call(pack("GET", "a"))
    with pytest.raises(ResponseError):
        await wrong
    assert (await first, await last) == (b"OK", b"b")


async def test_database_and_password(server: Valkey) -> None:
    """The password and the database of the URL are used before the first command."""
    await server.admin.config_set("requirepass", "secret")
    try:
        with_password = server.url.replace("://", "://:secret@").removesuffix("/0") + "/3"
        pipe = Pipe(with_password)
        await pipe.call(pack("SET", "where", "three"))
        assert b"db=3" in await pipe.call(pack("CLIENT", "INFO"))
        pipe.close()
        wrong = Pipe(server.url.replace("://", "://:wrong@"))
        with pytest.raises(RedisConnectionError, match="WRONGPASS"):
            await wrong.call(pack("PING"))
    finally:
        pipe = Pipe(server.url.replace("://", "://:secret@"))
        await pipe.call(pack("CONFIG", "SET", "requirepass", ""))
        pipe.close()


async def test_the_server_goes_and_comes_back(server: Valkey) -> None:
    """Calls under way fail when the server dies; the next ones go to the server that came back."""
    pipe = server.pipe()
    await pipe.call(pack("PING"))
    server.pause()
    under_way = [pipe.call(pack("PING")) for _ in range(10)]
    await asyncio.sleep(0)
    await server.restart()
    for call in await asyncio.gather(*under_way, return_exceptions=True):
        assert isinstance(call, RedisConnectionError)
    assert await pipe.call(pack("PING")) == b"PONG"


async def test_nobody_is_there() -> None:
    """Where no server listens, a call fails at once."""
    pipe = Pipe(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(RedisConnectionError, match="cannot be reached"):
        await pipe.call(pack("PING"))
    pipe.close()


async def test_a_silent_server(server: Valkey) -> None:
    """A server that does not answer is given up, and the pipe connects anew."""
    async with Proxy(server.port) as proxy:
        pipe = Pipe(proxy.url, timeout=0.3)

        async def answers() -> bool:
            try:
                return bool(await pipe.call(pack("PING")) == b"PONG")
            except RedisConnectionError:
                return False

        await eventually(answers)
        proxy.hold()
        with pytest.raises(RedisConnectionError, match="does not answer"):
            await pipe.call(pack("PING"))
        proxy.let_go()
        await eventually(answers)
        pipe.close()
