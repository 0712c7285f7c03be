"""Waiting for events."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import httpx

from parley_chat import ChatClient, Connected, ConnectionPolicy, Event, Message, NewMessage
from tests.support.answers import until_ready
from tests.support.cluster import Cluster
from tests.support.waiting import HANGS_AFTER

E = TypeVar("E", bound=Event)

ROOT = Path(__file__).resolve().parents[4]
QUICK = ConnectionPolicy(pause=0.05, max_pause=0.2)


async def until(
    client: ChatClient, kind: type[E], wanted: Callable[[E], bool] = lambda _: True
) -> tuple[E, list[Event]]:
    """Take events until the one that is wanted; return it, and all that came before it."""
    before: list[Event] = []
    async with asyncio.timeout(HANGS_AFTER):
        async for event in client.events():
            if isinstance(event, kind) and wanted(event):
                return event, before
            before.append(event)
    raise AssertionError(f"no {kind.__name__}, but {before}")


def gateway_in(cluster: Cluster, told: str) -> str:
    """The name of the gateway whose address is in a text: another, where the first is away."""
    return next(f"gateway-{n}" for n in (1, 2) if f":{cluster.gateway_port(n)}/" in told)


async def gateway_of(cluster: Cluster, client: ChatClient) -> str:
    """The name of the gateway that a client connects to."""
    return gateway_in(cluster, (await until(client, Connected))[0].url)


async def restarted(cluster: Cluster, gateway: str, killed: int) -> None:
    """Wait until a gateway that was killed takes clients again: the next test needs it."""
    await cluster.wait_restarted(gateway, killed)
    await until_ready(cluster.gateway_url(int(gateway.removeprefix("gateway-"))))


async def messages_until(client: ChatClient, last: str) -> list[Message]:
    """Take events until the message `last`; return the messages, that one included."""
    found, before = await until(client, Message, lambda message: message.content == last)
    return [*(event for event in before if isinstance(event, Message)), found]


async def direct_until(client: ChatClient, last: str) -> list[NewMessage]:
    """Take events until the direct message `last`; return the direct ones, that one included."""
    found, before = await until(client, NewMessage, lambda message: message.content == last)
    return [*direct_among(before), found]


def direct_among(events: Sequence[Event]) -> list[NewMessage]:
    return [event for event in events if isinstance(event, NewMessage)]


def contents(messages: Sequence[Message | NewMessage]) -> list[str]:
    return [message.content for message in messages]


async def delete_chat(server: str, chat_id: int | None) -> None:
    """Delete a chat by REST, as there is no event for it."""
    async with httpx.AsyncClient(base_url=server) as http:
        (await http.delete(f"/chats/{chat_id}")).raise_for_status()
