"""What the client promises for direct chats when connections are lost."""

import asyncio

from parley_chat import (
    CaughtUp,
    ChatClient,
    ChatDeleted,
    Disconnected,
    NewMessage,
    OnlineUsers,
    SentMessage,
)
from tests.integration.clients.python.listening import (
    QUICK,
    contents,
    delete_chat,
    direct_among,
    direct_until,
    gateway_of,
    restarted,
    until,
)
from tests.integration.clients.python.relay import Relay, all_frames
from tests.support.cluster import Cluster

Users = tuple[int, str]


async def received(client: ChatClient, count: int) -> list[NewMessage]:
    """Take events until `count` direct messages have come."""
    found: list[NewMessage] = []
    while len(found) < count:
        found.append((await until(client, NewMessage))[0])
    return found


async def test_a_gateway_is_killed_in_mid_conversation(cluster: Cluster, users: Users) -> None:
    """A kill -9 of the gateway loses, doubles and reorders nothing on either wire."""
    ann, bob = users
    gateways = [cluster.gateway_url(2), cluster.gateway_url(1)]
    said = {user: [f"{user} {number}" for number in range(200)] for user in users}
    async with (
        ChatClient(gateways, wire="json", policy=QUICK) as one,
        ChatClient(gateways, wire="msgpack", policy=QUICK) as two,
    ):
        doomed = await gateway_of(cluster, one)
        assert await gateway_of(cluster, two) == doomed
        await one.go_online(ann)
        await two.go_online(bob)
        receiving = [asyncio.create_task(received(client, 400)) for client in (one, two)]

        def say(numbers: slice) -> list[asyncio.Task[SentMessage]]:
            return [
                asyncio.create_task(speaker.send_to(other, content))
                for speaker, user, other in ((one, ann, bob), (two, bob, ann))
                for content in said[user][numbers]
            ]

        sends = say(slice(100))
        await asyncio.wait(sends, return_when=asyncio.FIRST_COMPLETED)
        killed = cluster.kill(doomed)
        sends += say(slice(100, 200))
        accepted = {answer.id: answer for answer in await asyncio.gather(*sends)}
        assert sorted(answer.seq for answer in accepted.values()) == list(range(1, 401))
        for messages in await asyncio.gather(*receiving):
            assert [message.seq for message in messages] == list(range(1, 401))
            assert {message.id for message in messages} == accepted.keys()
            for user in users:
                mine = [message for message in messages if message.sender_id == user]
                assert contents(mine) == said[user]
        await one.send_to(bob, "end")
        for client in (one, two):
            assert contents(await direct_until(client, "end")) == ["end"]
    await restarted(cluster, doomed, killed)


async def test_what_was_missed_comes_before_what_is_live(cluster: Cluster, users: Users) -> None:
    """Missed messages of a chat come once and in order, while more arrive; one is online again."""
    ann, bob = users
    async with (
        Relay(cluster.gateway_url(2)) as relay,
        ChatClient(cluster.gateway_url(1)) as one,
        ChatClient(relay.url, policy=QUICK) as two,
    ):
        await one.go_online(ann)
        await two.go_online(bob)
        await until(one, OnlineUsers, lambda event: bob in event.users)
        sent = await one.send_to(bob, "before")
        await direct_until(two, "before")
        await relay.shut()
        await until(two, Disconnected)
        await until(one, OnlineUsers, lambda event: bob not in event.users)
        missed = [str(number) for number in range(250)]
        await asyncio.gather(*(one.send_to(bob, content) for content in missed))
        later = [str(number) for number in range(250, 500)]
        live = [asyncio.create_task(one.send_to(bob, content)) for content in later]
        await relay.open()
        caught_up, events = await until(two, CaughtUp)
        await asyncio.gather(*live)
        await until(one, OnlineUsers, lambda event: bob in event.users)
        await one.send_to(bob, "end")
        found = contents([*direct_among(events), *await direct_until(two, "end")])
    assert found == [*missed, *later, "end"]
    assert caught_up.chat_id == sent.chat_id
    assert 250 <= caught_up.count <= 500


async def test_chats_that_began_while_away(cluster: Cluster, users: Users) -> None:
    """A chat made while one was away is read from its beginning, whoever made it."""
    ann, bob = users
    async with (
        Relay(cluster.gateway_url(2)) as relay,
        ChatClient(cluster.gateway_url(1), username=str(ann), listen=False) as one,
        ChatClient(cluster.gateway_url(1), username=bob, listen=False) as bob_too,
        ChatClient(relay.url, policy=QUICK) as two,
    ):
        await two.go_online(bob)
        await relay.shut()
        await until(two, Disconnected)
        for content in ("1", "2"):
            theirs = await one.send_to(bob, content)
            mine = await bob_too.send_to(f"{ann} too", content)
        await relay.open()
        _, events = await until(two, CaughtUp)
        _, more = await until(two, CaughtUp)
        await one.send_to(bob, "3")
        found = [*direct_among([*events, *more]), *await direct_until(two, "3")]
    for sent, said in ((theirs, ["1", "2", "3"]), (mine, ["1", "2"])):
        assert contents([item for item in found if item.chat_id == sent.chat_id]) == said


async def test_quiet_chats_are_caught_up_with(cluster: Cluster, users: Users) -> None:
    """Of a chat in which nothing came live yet, what was missed is told, not what is old."""
    ann, bob = users
    async with (
        Relay(cluster.gateway_url(2)) as relay,
        ChatClient(cluster.gateway_url(1), username=str(ann), listen=False) as one,
        ChatClient(relay.url, username=bob, policy=QUICK) as two,
    ):
        await one.send_to(bob, "old")
        await two.chats()  # which is to hear of them, without being online
        await relay.shut()
        await until(two, Disconnected)
        await one.send_to(bob, "missed")
        await relay.open()
        _, events = await until(two, CaughtUp)
        await one.send_to(bob, "live")
        found = [*direct_among(events), *await direct_until(two, "live")]
    assert contents(found) == ["missed", "live"]


async def test_a_lost_reply_is_asked_for_again(gateway: str, users: Users) -> None:
    """A send whose reply was lost is sent again once, and is one message with one answer."""
    ann, bob = users
    async with Relay(gateway) as relay, ChatClient(relay.url, policy=QUICK) as client:
        await client.go_online(ann)
        relay.seen.clear()
        relay.to_client = lambda frame: frame["event"] != "reply"
        sending = asyncio.create_task(client.send_to(bob, "once"))
        message = (await direct_until(client, "once"))[-1]  # accepted, and nobody was told
        assert not sending.done()
        relay.to_client = all_frames
        relay.cut()
        accepted = await sending
        assert (accepted.id, accepted.seq) == (message.id, message.seq)
        await client.send_to(bob, "end")
        assert contents(await direct_until(client, "end")) == ["end"]
    sent = [frame["data"] for frame in relay.seen if frame["event"] == "sendMessage"]
    assert [data["content"] for data in sent] == ["once", "once", "end"]
    assert sent[0]["clientMsgId"] == sent[1]["clientMsgId"]
    assert [data.get("resend", False) for data in sent] == [False, True, False]


async def test_a_chat_is_deleted_while_away(cluster: Cluster, users: Users) -> None:
    """A chat that was deleted meanwhile is told to be; the pair's next one is caught up with."""
    ann, bob = users
    async with (
        Relay(cluster.gateway_url(2)) as relay,
        ChatClient(cluster.gateway_url(1), username=str(ann), listen=False) as one,
        ChatClient(relay.url, policy=QUICK) as two,
    ):
        await two.go_online(bob)
        before = await one.send_to(bob, "before")
        await direct_until(two, "before")
        await relay.shut()
        await until(two, Disconnected)
        await delete_chat(cluster.url, before.chat_id)
        after = await one.send_to(bob, "after")
        await relay.open()
        _, events = await until(two, CaughtUp, lambda event: event.chat_id == after.chat_id)
        while not any(isinstance(event, ChatDeleted) for event in events):
            events.append(await anext(two.events()))
    assert contents(direct_among(events)) == ["after"]
    assert ChatDeleted(id=before.chat_id or 0) in events


async def test_requests_of_chats_outlive_the_connection(gateway: str, users: Users) -> None:
    """What is asked while there is no connection is answered when there is one."""
    ann, bob = users
    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, policy=QUICK) as client,
        ChatClient(gateway, username=bob, listen=False) as other,
    ):
        await client.go_online(ann)
        sent = await client.send_to(bob, "x")
        theirs = await other.send_to(ann, "y")
        chat = sent.chat_id or 0
        await relay.shut()
        await until(client, Disconnected)
        asking = asyncio.gather(
            client.chats(),
            client.messages(chat),
            client.create_chat(bob),
            client.history(chat_id=chat),
            client.mark_as_seen(theirs.id),
            client.delete_message(sent.id),
        )
        await asyncio.sleep(0)
        await relay.open()
        chats, messages, made, page, _, _ = await asking
    assert (chats[0].id, made.id) == (chat, chat)
    assert contents(messages) == contents(page.items) == ["x", "y"]
