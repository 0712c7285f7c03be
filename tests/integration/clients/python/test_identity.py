"""The Python client against a server that wants tokens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from parley_chat import (
    ChatClient,
    Connected,
    ConnectionPolicy,
    Disconnected,
    Message,
    Refused,
    Unreachable,
)
from tests.integration.clients.python.listening import messages_until, until
from tests.integration.clients.python.terminals import run
from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.tokens import JWT, token

QUICK = ConnectionPolicy(first_attempts=2, pause=0.01)


@pytest_asyncio.fixture(scope="module")
async def guarded() -> AsyncIterator[Cluster]:
    """Two gateways that want tokens."""
    async with Cluster(env=JWT) as running:
        yield running


async def test_a_token(guarded: Cluster, room: str) -> None:
    """A client with a token is whom it names, as soon as it is connected."""
    async with ChatClient(guarded.url, token=token("ann")) as ann:
        assert ann.username == "ann"
        await ann.create_room(room)
        await ann.join_room(room)
        await ann.send(room, "hello")
        assert (await messages_until(ann, "hello"))[-1].sender == "ann"


async def test_fresh_tokens(guarded: Cluster, room: str) -> None:
    """A fresh token is fetched in time; where none came, the connection is opened again with it."""
    shown = iter([token("ann", lasts=8), token("ann")])
    late = iter([token("bob", lasts=8)])
    at_last: list[str] = []

    async def fetch() -> str:
        return next(shown)

    async def fetch_late() -> str:
        return at_last[0] if at_last else next(late)

    async with (
        ChatClient(guarded.url, token=fetch) as ann,
        ChatClient(guarded.url, token=fetch_late, policy=QUICK) as bob,
    ):
        ended, _ = await until(bob, Disconnected)
        assert not ended.final
        at_last.append(token("bob"))
        again, _ = await until(bob, Connected)
        assert again.again
        await bob.create_room(room)

        await ann.join_room(room)
        await ann.send(room, "all the time")
        _, before = await until(ann, Message)
        assert not [event for event in before if isinstance(event, Disconnected)]


async def test_a_bad_token(guarded: Cluster) -> None:
    """A client whose token is not taken is refused with the server's reason, at once."""
    with pytest.raises(Refused, match="the token has expired"):
        await ChatClient(guarded.url, token=token("ann", lasts=-60)).connect()
    with pytest.raises(Refused, match="not the one in the token"):
        await ChatClient(guarded.url, token=token("ann"), username="bob").connect()


async def test_a_fresh_token_is_tried_once(guarded: Cluster) -> None:
    """A token that is not accepted is followed by a fresh one; two in a row are the end."""
    expired = token("ann", lasts=-60)
    tokens = [expired, token("ann")]

    async def fetch() -> str:
        return tokens.pop(0) if tokens else expired

    async with ChatClient(guarded.url, token=fetch, policy=QUICK) as ann:
        assert (ann.username, tokens) == ("ann", [])
    with pytest.raises(Refused, match="the token has expired"):
        await ChatClient(guarded.url, token=fetch, policy=QUICK).connect()


async def test_a_token_that_comes_too_late(guarded: Cluster) -> None:
    """A client whose token is lost on its way connects again after 4408, and shows it again."""
    lost = 0
    async with Proxy(guarded.gateway_port(1)) as proxy:
        proxy.swallow_after(b"\x81", lambda: not lost)
        client = ChatClient(f"http://127.0.0.1:{proxy.port}", token=token("ann"), policy=QUICK)
        connecting = asyncio.create_task(client.connect())
        await proxy.swallowed.wait()
        lost = 1
        proxy.swallowed.clear()
        await connecting
        assert client.username == "ann"
        await client.close()


async def test_no_token_to_be_had() -> None:
    """Where the token cannot be fetched, connecting fails after some attempts, and says why."""

    async def fetch() -> str:
        raise LookupError("a secret of the token server")

    with pytest.raises(Unreachable, match="no token could be fetched: LookupError"):
        await ChatClient("http://127.0.0.1:9", token=fetch, policy=QUICK).connect()


async def test_the_terminal(guarded: Cluster, room: str, tmp_path: Path) -> None:
    """The terminal takes its token from a file, and its name from the token."""
    file = tmp_path / "token"
    file.write_text(token("ann") + "\n")
    arguments = (guarded.url, "--room", room, "--create", "--token-file", str(file))
    code, out, err = await run(*arguments)
    assert (code, err) == (0, "")
    assert "ann connected" in out
    code, _, err = await run(*arguments, "--name", "bob")
    assert code == 1
    assert "not the one in the token" in err
    assert err.count("\n") == 1
