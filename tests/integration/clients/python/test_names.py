"""Names in another spelling than the server's: the client takes the server's, and knows both."""

import asyncio
from itertools import count

import pytest

from parley_chat import ChatClient, ChatError, Message, NewMessage, Refused
from tests.integration.clients.python.listening import QUICK, contents, until
from tests.integration.clients.python.relay import Frame, Relay
from tests.support.cluster import Cluster

_numbers = count(1)


async def test_a_room_by_another_spelling(cluster: Cluster) -> None:
    """A room that was joined by another spelling has the server's name, and is found by both."""
    number = next(_numbers)
    room, typed = f"Caf\u00e9 {number}", f" CAFE\u0301  {number} "
    async with (
        ChatClient(cluster.gateway_url(1), username="ann") as ann,
        ChatClient(cluster.gateway_url(2), username="bob") as bob,
    ):
        assert (await ann.create_room(f" {room} ")).name == room
        await ann.join_room(room)
        await ann.send(room, "before")
        joined = await bob.join_room(typed)
        assert (joined.room, contents(joined.history)) == (room, ["before"])
        assert bob.rooms == [room]
        assert bob.joined_name(typed) == room
        await bob.send(typed, "by the typed name")
        for client in (ann, bob):
            message, _ = await until(client, Message, lambda it: it.content == "by the typed name")
            assert message.room == room
        assert len((await bob.history(typed)).items) == 2
        await bob.join_room(typed)
        assert bob.rooms == [room]
        await bob.leave_room(typed)
        assert bob.rooms == []
        with pytest.raises(ChatError):
            await bob.send(room, "gone")


async def test_nothing_is_lost_while_joining(cluster: Cluster) -> None:
    """What is said while a join by another spelling is on its way comes once and in order."""
    room = f"Busy {next(_numbers)}"
    async with (
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(cluster.gateway_url(2), username="bob") as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)

        async def talk() -> None:
            for n in range(60):
                await ann.send(room, str(n))

        talking = asyncio.create_task(talk())
        joined = await bob.join_room(room.upper())
        await talking
        said = contents(joined.history)
        if "59" not in said:
            last, before = await until(bob, Message, lambda it: it.content == "59")
            said += [event.content for event in before if isinstance(event, Message)]
            said.append(last.content)
        assert said == [str(n) for n in range(60)]


async def test_a_user_by_another_spelling(cluster: Cluster) -> None:
    """A user who signs in by another spelling is called as the server calls them."""
    number = next(_numbers)
    name = f"Zo\u00eb {number}"
    async with ChatClient(cluster.gateway_url(1), username=name) as first:
        assert first.username == name
        async with ChatClient(cluster.gateway_url(2), username=f"ZOE\u0308  {number}") as second:
            assert second.username == name
        async with ChatClient(cluster.gateway_url(2)) as third:
            await third.set_username(name.upper())
            assert third.username == name
        async with ChatClient(cluster.gateway_url(2)) as fourth:
            await fourth.go_online(name.upper())
            assert (fourth.username, fourth.online) == (name, name)
            await first.go_online(name)
            chat = await first.create_chat(f"Bob {number}")
            assert {chat.user1_id, chat.user2_id} == {name, f"Bob {number}"}
            await fourth.send_to(f"BOB {number}", "hello")
            message, _ = await until(first, NewMessage)
            assert (message.chat_id, message.receiver_id) == (chat.id, f"Bob {number}")


async def test_a_name_that_nobody_can_have(cluster: Cluster) -> None:
    """The server says what is wrong with a name; the client has no rules of its own."""
    with pytest.raises(Refused, match=r"U\+200B"):
        await ChatClient(cluster.url, username="a\u200bb").connect()
    async with ChatClient(cluster.url) as client:
        for name in ("\u2800", "a\u200bb", "a\nb"):
            with pytest.raises(ChatError, match="a name"):
                await client.set_username(name)
            with pytest.raises(ChatError, match="a name"):
                await client.create_room(name)


async def test_an_error_that_will_pass_refuses_no_name(gateway: str) -> None:
    """A retryable error in place of the first `welcome` is followed by another connection."""
    busy = {"code": "overloaded", "message": "too much to do", "retryable": True}
    welcomes = 0
    async with Relay(gateway) as relay:

        def passes(frame: Frame) -> bool:
            nonlocal welcomes
            if frame["event"] == "welcome":
                welcomes += 1
                if welcomes == 1:
                    frame |= {"event": "error", "data": busy}
            elif welcomes == 1:
                relay.cut()
            return True

        relay.to_client = passes
        async with ChatClient(relay.url, username="ann", policy=QUICK) as ann:
            assert (ann.state, welcomes) == ("connected", 2)
            assert await ann.request("getRooms") == {}
