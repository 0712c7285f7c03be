"""What the client does where events of a direct chat are lost."""

import pytest

from parley_chat import (
    CaughtUp,
    ChatClient,
    Disconnected,
    MessageDeleted,
    NewMessage,
)
from tests.integration.clients.python.listening import (
    QUICK,
    contents,
    direct_among,
    direct_until,
    until,
)
from tests.integration.clients.python.relay import Frame, Relay
from tests.support.cluster import Cluster

Users = tuple[int, str]


async def test_a_hole_is_closed(gateway: str, users: Users) -> None:
    """Live events that were lost, a deletion among them, are made up for before the next one."""
    ann, bob = users

    def lossy(frame: Frame) -> bool:
        lost = frame["event"] == "newMessage" and frame["data"]["content"] in {"2", "3"}
        return not lost and frame["event"] != "messageDeleted"

    async with Relay(gateway) as relay, ChatClient(relay.url) as client:
        await client.go_online(ann)
        relay.to_client = lossy
        sent = [await client.send_to(bob, str(number)) for number in range(5)]
        for deleted in (sent[1], sent[4]):
            await client.delete_message(deleted.id)
        await client.send_to(bob, "5")
        _, events = await until(client, NewMessage, lambda message: message.content == "5")
    assert contents(direct_among(events)) == ["0", "1", "2", "3", "4"]
    gone = [event for event in events if isinstance(event, MessageDeleted)]
    assert [event.message_id for event in gone] == [sent[1].id, sent[4].id]
    assert {event.chat_id for event in gone} == {sent[0].chat_id}


@pytest.mark.parametrize("old", [0, 2])
async def test_the_first_live_event_may_be_lost(cluster: Cluster, users: Users, old: int) -> None:
    """The loss of the first event after coming online is made up for, and old ones stay old."""
    ann, bob = users
    async with (
        Relay(cluster.gateway_url(2)) as relay,
        ChatClient(cluster.gateway_url(1), username=str(ann), listen=False) as one,
        ChatClient(relay.url) as two,
    ):
        for number in range(old):
            await one.send_to(bob, f"old {number}")
        await two.go_online(bob)
        relay.to_client = lambda frame: frame["event"] not in {"newChat", "newMessage"}
        sent = await one.send_to(bob, "lost")
        assert (await two.history(chat_id=sent.chat_id or 0)).head == old + 1
        relay.to_client = lambda frame: "lost" not in str(frame) or "items" in str(frame)
        await one.send_to(bob, "next")
        assert contents(await direct_until(two, "next")) == ["lost", "next"]


async def test_deletions_while_away(cluster: Cluster, users: Users) -> None:
    """A deletion of what one saw is told; what was deleted before one saw it never shows."""
    ann, bob = users
    async with (
        Relay(cluster.gateway_url(2)) as relay,
        ChatClient(cluster.gateway_url(1), username=str(ann), listen=False) as one,
        ChatClient(relay.url, policy=QUICK) as two,
    ):
        await two.go_online(bob)
        sent = [await one.send_to(bob, content) for content in ("kept", "deleted")]
        await direct_until(two, "deleted")
        await relay.shut()
        await until(two, Disconnected)
        never_seen = await one.send_to(bob, "never seen")
        for deleted in (sent[1], never_seen):
            await one.delete_message(deleted.id)
        await one.send_to(bob, "last")
        await relay.open()
        caught_up, events = await until(two, CaughtUp)
        assert caught_up.count == 1
        told = [event for event in events if isinstance(event, NewMessage | MessageDeleted)]
        gone = MessageDeleted(message_id=sent[1].id, chat_id=sent[1].chat_id)
        assert told[0] == gone
        assert [getattr(event, "content", "") for event in told[1:]] == ["last"]


async def test_it_may_be_told_to_resume(gateway: str, users: Users) -> None:
    """Told that something may be missing in its chats, the client asks, and shows what was."""
    ann, bob = users

    def hide(frame: Frame) -> bool:
        if frame["event"] == "newMessage":
            frame |= {"event": "resume_required", "data": {"chats": [frame["data"]["chatId"]]}}
        return True

    async with Relay(gateway) as relay, ChatClient(relay.url) as client:
        await client.go_online(ann)
        await client.send_to(bob, "first")
        await direct_until(client, "first")
        relay.to_client = hide
        await client.send_to(bob, "hidden")
        assert contents(await direct_until(client, "hidden")) == ["hidden"]
