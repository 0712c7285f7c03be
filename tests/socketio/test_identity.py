"""npm's socket.io-client against a server that wants tokens."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from tests.socketio.clients import QUICK, Node, Version
from tests.support.cluster import Cluster
from tests.support.tokens import JWT, token


@pytest_asyncio.fixture(scope="module")
async def guarded() -> AsyncIterator[Cluster]:
    """Two gateways that want tokens."""
    async with Cluster(env=JWT) as running:
        yield running


async def test_who_is_not_let_in(
    guarded: Cluster, node: Node, version: Version, transports: dict[str, Any]
) -> None:
    """A client without a good token gets `connect_error`, whose data says why; others are in."""
    for auth in ({}, {"token": token("ann", lasts=-60)}, {"username": "ann"}):
        client = node.begin(guarded.url, version=version, auth=auth, **transports)
        error = await client.next("connect_error")
        assert error["data"]["code"] == "unauthorized"
        client.disconnect()
    ann = await node.connect(
        guarded.url, version=version, auth={"token": token("ann")}, **transports
    )
    assert await ann.ask("setUsername", "ann") == {}
    ann.disconnect()


async def test_a_token_that_expires(guarded: Cluster, node: Node, room: str) -> None:
    """A client whose token expired comes back with a fresh one, and is where it was."""
    ann = await node.connect(guarded.url, auth={"token": token("ann")}, **QUICK)
    await ann.ask("createRoom", {"name": room})
    await ann.ask("joinRoom", {"room": room})
    ann.emit("authenticate", token("ann", lasts=1))
    await ann.next("disconnect")
    assert (await ann.next("connect"))["recovered"]
    assert (await ann.ask("message", {"room": room, "content": "hello"}))["seq"] == 1
    ann.disconnect()
