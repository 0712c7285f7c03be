"""Waiting for events."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gateway.client import ChatClient, Event, Message, Pace

E = TypeVar("E", bound=Event)

ROOT = Path(__file__).resolve().parents[3]
QUICK = Pace(pause=0.05, longest_pause=0.2)


async def until(
    client: ChatClient, kind: type[E], wanted: Callable[[E], bool] = lambda _: True
) -> tuple[E, list[Event]]:
    """Take events until the one that is wanted; return it, and all that came before it."""
    before: list[Event] = []
    async with asyncio.timeout(20):
        async for event in client.events():
            if isinstance(event, kind) and wanted(event):
                return event, before
            before.append(event)
    raise AssertionError(f"no {kind.__name__}, but {before}")


async def messages_until(client: ChatClient, last: str) -> list[Message]:
    """Take events until the message `last`; return the messages, that one included."""
    found, before = await until(client, Message, lambda message: message.content == last)
    return [*(event for event in before if isinstance(event, Message)), found]


def contents(messages: list[Message]) -> list[str]:
    return [message.content for message in messages]
