"""What the client shows where most messages were deleted one by one."""

import asyncio
from collections.abc import Sequence

from parley_chat import ChatClient, Message, MessageDeleted, NewMessage
from tests.integration.clients.python.listening import until
from tests.integration.clients.python.relay import Frame, Relay
from tests.support.cluster import Cluster

KEPT = [f"kept {n}" for n in range(20)]
Users = tuple[int, str]


def shown(items: Sequence[Message | NewMessage]) -> list[str]:
    return [item.content for item in items if not item.deleted]


async def fill(client: ChatClient, room: str, kept: Sequence[str], deleted: int) -> None:
    """Send messages, then more of them that are deleted one by one."""
    for content in kept:
        await client.send(room, content)
    sent = await asyncio.gather(*(client.send(room, "deleted") for _ in range(deleted)))
    await asyncio.gather(*(client.delete_message(each.id) for each in sent))


async def test_pages_of_a_room(cluster: Cluster, room: str) -> None:
    """A newcomer gets what is left behind deleted messages, and pages have it, to an end."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(cluster.gateway_url(2), username="bob", listen=False) as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await fill(ann, room, KEPT, 100)
        joined = await bob.join_room(room)
        assert (shown(joined.history), joined.next) == (KEPT, None)
        page = await bob.history(room, limit=5)
        assert shown(page.items) == KEPT[-5:]
        found = shown(page.items)
        while page.next is not None:
            page = await bob.history(room, limit=5, before=page.next)
            found = shown(page.items) + found
        assert found == KEPT
        page = await bob.history(room, limit=15, after=0)
        assert page.next is not None
        found = shown(page.items)
        page = await bob.history(room, limit=15, after=page.next)
        assert (found + shown(page.items), page.next) == (KEPT, None)


async def test_pages_of_a_chat(cluster: Cluster, users: Users) -> None:
    """The messages of a chat are the newest that are left, or those before a place."""
    ann, bob = users
    async with (
        ChatClient(cluster.gateway_url(1), username=str(ann), listen=False) as one,
        ChatClient(cluster.gateway_url(2), username=bob, listen=False) as two,
    ):
        for content in KEPT:
            sent = await one.send_to(bob, content)
        gone = await asyncio.gather(*(one.send_to(bob, "deleted") for _ in range(100)))
        await asyncio.gather(*(one.delete_message(each.id) for each in gone))
        chat = sent.chat_id or 0
        found = await two.messages(chat, limit=5)
        assert shown(found) == KEPT[-5:]
        assert shown(await two.messages(chat, before=found[0].seq)) == KEPT[:15]
        assert await two.messages(chat, before=1) == []
        [listed] = await two.chats()
        assert listed.last_message is not None
        assert (listed.unread, listed.last_message.content) == (20, KEPT[-1])


async def test_a_missed_deletion_behind_a_long_row(cluster: Cluster, room: str) -> None:
    """A deletion that was missed is told, though the message stands behind 300 deleted ones."""
    async with (
        Relay(cluster.gateway_url(2)) as relay,
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(relay.url, username="bob") as bob,
    ):
        await ann.create_room(room)
        for client in (ann, bob):
            await client.join_room(room)
        first, second = [await ann.send(room, content) for content in ("first", "second")]
        await until(bob, Message, lambda message: message.id == second.id)

        def lossy(frame: Frame) -> bool:
            lost = frame["event"] == "message" and frame["data"]["content"] != "last"
            return not lost and frame["event"] != "messageDeleted"

        relay.to_client = lossy
        await fill(ann, room, ["between"], 300)
        await ann.send(room, "last")
        _, events = await until(bob, Message, lambda message: message.content == "last")
        assert [e.content for e in events if isinstance(e, Message)] == ["between"]
        await ann.delete_message(first.id)
        await ann.send(room, "last")
        _, events = await until(bob, Message)
        gone = [event for event in events if isinstance(event, MessageDeleted)]
        assert [event.message_id for event in gone] == [first.id]
