"""Direct chats while all is well."""

import asyncio

import pytest

from parley_chat import (
    ChatClient,
    ChatDeleted,
    ChatError,
    ChatInfo,
    ChatsList,
    Event,
    MessageDeleted,
    MessageSeen,
    NewChat,
    NewMessage,
    OnlineUsers,
    Seen,
    TypingEvent,
    UnknownEvent,
)
from parley_chat.connection.wire import WireName
from tests.integration.clients.python.listening import (
    contents,
    delete_chat,
    direct_until,
    until,
)
from tests.support.cluster import Cluster

Users = tuple[int, str]


@pytest.mark.parametrize("wire", ["json", "msgpack"])
async def test_two_users_talk(cluster: Cluster, users: Users, wire: WireName) -> None:
    """What one says to the other, both get once, with ids as they were given, and read again."""
    ann, bob = users
    async with (
        ChatClient(cluster.gateway_url(1), wire=wire) as one,
        ChatClient(cluster.gateway_url(2), wire=wire) as other,
    ):
        assert await one.go_online(ann) == await other.go_online(bob) == []
        accepted = await one.send_to(bob, "déjà vu 👩‍💻")
        assert accepted.chat_id is not None
        back = await other.send_to(ann, "hello")
        assert (back.chat_id, back.seq) == (accepted.chat_id, 2)
        for client in (one, other):
            first, second = await direct_until(client, "hello")
            assert (first.id, first.chat_id, first.seq) == (accepted.id, accepted.chat_id, 1)
            assert (first.sender_id, first.receiver_id, first.prev) == (ann, bob, 0)
            assert (second.sender_id, second.content, second.prev) == (bob, "hello", 1)
        [chat] = await one.chats()
        assert (chat.id, chat.other(ann), chat.unread) == (accepted.chat_id, bob, 1)
        assert chat.last_message == second
        assert await one.messages(chat.id) == [first, second]
        assert await one.messages(chat.id, before=2, limit=5) == [first]
        page = await other.history(chat_id=chat.id, after=1)
        assert (page.items, page.head, page.partial) == ([second], 2, False)


async def test_a_chat_is_made_once(cluster: Cluster, users: Users) -> None:
    """Both users hear of a new chat once; asked again, either way round, it is the same one."""
    ann, bob = users
    async with ChatClient(cluster.gateway_url(1)) as one, ChatClient(cluster.gateway_url(2)) as two:
        await one.go_online(ann)
        await two.go_online(bob)
        made = await one.create_chat(bob)
        assert await two.create_chat(ann) == made
        await one.send_to(bob, "x")
        for client in (one, two):
            _, before = await until(client, NewMessage)
            assert [event for event in before if isinstance(event, NewChat)] == [made]


async def test_events_of_a_chat_come_typed(cluster: Cluster, users: Users) -> None:
    """Typing, having seen, and deletions are told in typed events that say in which chat."""
    ann, bob = users
    async with ChatClient(cluster.gateway_url(1)) as one, ChatClient(cluster.gateway_url(2)) as two:
        await one.go_online(ann)
        await two.go_online(bob)
        sent = [await one.send_to(bob, content) for content in ("a", "b", "c")]
        chat = sent[0].chat_id
        assert chat is not None
        await direct_until(two, "c")
        await one.typing(chat_id=chat)
        await until(two, TypingEvent, lambda event: event.username == str(ann))
        assert two.typing_users(chat_id=chat) == [str(ann)]
        await two.mark_as_seen(sent[0].id)
        await two.seen(chat_id=chat, seq=3)
        await one.delete_message(sent[1].id)
        await one.delete_message(sent[1].id)
        gone = MessageDeleted(message_id=sent[1].id, seq=4, prev=3, chat_id=chat)
        told: list[Event] = []
        for client in (one, two):
            deleted, told = await until(client, MessageDeleted)
            assert deleted == gone
            assert not any(isinstance(event, UnknownEvent) for event in told)
            if client is one:
                assert MessageSeen(message_id=sent[0].id, chat_id=chat) in told
                assert Seen(user=bob, seq=3, chat_id=chat) in told
        await one.send_to(bob, "d")
        assert contents(await direct_until(two, "d")) == ["d"]
        assert contents(await two.messages(chat)) == ["a", "c", "d"]
        page = await two.history(chat_id=chat)
        assert [item.deleted for item in page.items] == [False, True, False, False]
        await delete_chat(cluster.url, chat)
        for client in (one, two):
            assert (await until(client, ChatDeleted))[0] == ChatDeleted(id=chat)


async def test_events_of_a_room_come_typed(cluster: Cluster, room: str) -> None:
    """In a room, too, one message is deleted, and the others hear how far one has seen."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann") as ann,
        ChatClient(cluster.gateway_url(2), username="bob") as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        sent = await ann.send(room, "x")
        await bob.seen(room, seq=1)
        await ann.delete_message(sent.id)
        deleted, before = await until(ann, MessageDeleted)
        assert deleted == MessageDeleted(message_id=sent.id, seq=2, prev=1, room=room)
        assert Seen(user="bob", seq=1, room=room) in before


async def test_who_is_online(cluster: Cluster, users: Users) -> None:
    """Who comes online is told, and who goes offline is seen no more and hears of nothing."""
    ann, bob = users
    async with (
        ChatClient(cluster.gateway_url(1)) as one,
        ChatClient(cluster.gateway_url(2)) as two,
        ChatClient(cluster.gateway_url(2)) as beside,
    ):
        await one.go_online(ann)
        await beside.go_online(ann)
        await two.go_online(bob)
        await until(one, OnlineUsers, lambda event: {ann, bob} <= set(event.users))
        assert {ann, bob} <= set(await one.online_users())
        await two.go_offline()
        await until(one, OnlineUsers, lambda event: bob not in event.users)
        sent = await one.send_to(bob, "are you there?")
        await until(beside, NewMessage)  # from here on it is no news on gateway 2
        with pytest.raises(ChatError, match="go online first"):
            await two.online_users()
        [chat] = await two.go_online(bob)
        assert (chat.id, chat.unread) == (sent.chat_id, 1)
        unread, before = await until(two, ChatsList)
        assert unread.chats == [chat]
        assert not any(isinstance(event, NewMessage) for event in before)


async def test_coming_online_is_a_name(cluster: Cluster, users: Users, room: str) -> None:
    """Whoever came online is known by that in rooms, too, and can come online as nobody else."""
    ann, bob = users
    async with ChatClient(cluster.gateway_url(1)) as client:
        with pytest.raises(ChatError, match="give the client a name") as refusal:
            await client.send_to(bob, "x")
        assert refusal.value.code == "unauthorized"
        for wrong in ("", -1, 2**53):
            with pytest.raises(ValueError, match=r"name|integer"):
                await client.go_online(wrong)
        await client.go_online(ann)
        with pytest.raises(ChatError) as refusal:
            await client.go_online(bob)
        assert (refusal.value.code, client.user) == ("forbidden", ann)
        await client.create_room(room)
        await client.join_room(room)
        await client.send(room, "x")
        assert (await client.history(room)).items[0].sender == str(ann)


async def test_what_came_before_is_history(cluster: Cluster, users: Users) -> None:
    """In a chat that was talked in before, only what is said from now on comes by events."""
    ann, bob = users
    async with (
        ChatClient(cluster.gateway_url(1), username=str(ann), listen=False) as one,
        ChatClient(cluster.gateway_url(2)) as two,
    ):
        for content in ("1", "2", "3"):
            sent = await one.send_to(bob, content)
        await one.delete_message(sent.id)
        await two.go_online(bob)
        await one.send_to(bob, "4")
        assert contents(await direct_until(two, "4")) == ["4"]


async def test_whoever_reads_a_chat_hears_of_it(cluster: Cluster, users: Users) -> None:
    """Without being online, too, who reads a chat gets by events what is said from now on."""
    ann, bob = users
    async with (
        ChatClient(cluster.gateway_url(1), username=str(ann), listen=False) as one,
        ChatClient(cluster.gateway_url(2), username=bob) as two,
    ):
        for content in ("1", "2"):
            sent = await one.send_to(bob, content)
        assert sent.chat_id is not None
        assert contents(await two.messages(sent.chat_id)) == ["1", "2"]
        await one.send_to(bob, "3")
        assert contents(await direct_until(two, "3")) == ["3"]


async def test_a_list_of_several_pages(cluster: Cluster, users: Users) -> None:
    """The list of chats is whole, also where it takes several pages."""
    ann, _ = users
    others = [f"friend {number}" for number in range(260)]
    async with ChatClient(cluster.gateway_url(1), username=str(ann)) as one:
        # Pages have a million characters, so 250 of these chats.
        await asyncio.gather(*(one.send_to(other, "x" * 4000) for other in others))
        assert sorted(_partners(await one.chats(), ann)) == sorted(others)
    async with ChatClient(cluster.gateway_url(2), username=str(ann)) as again:
        assert sorted(_partners(await again.chats(), ann)) == sorted(others)


def _partners(chats: list[ChatInfo], user: int) -> list[str]:
    return [str(chat.user2_id if chat.user1_id == user else chat.user1_id) for chat in chats]
