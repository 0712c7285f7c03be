"""What the client promises where answers are lost, late, or errors."""

import asyncio
from collections.abc import Callable

import pytest

from parley_chat import (
    CaughtUp,
    ChatClient,
    ChatError,
    ConnectionLost,
    Event,
    HistoryCleared,
    Message,
    RoomLost,
)
from tests.integration.clients.python.listening import (
    QUICK,
    contents,
    messages_until,
    until,
)
from tests.integration.clients.python.relay import Frame, Relay, all_frames


async def test_a_lost_reply_is_asked_for_again(gateway: str, room: str) -> None:
    """A send whose reply was lost is sent again once, and is one message with one answer."""
    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann", policy=QUICK) as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        relay.seen.clear()
        relay.to_client = lambda frame: frame["event"] != "reply"
        sending = asyncio.create_task(ann.send(room, "once"))
        message = (await messages_until(ann, "once"))[-1]  # accepted, and nobody was told
        assert not sending.done()
        relay.to_client = all_frames
        relay.cut()
        accepted = await sending
        assert (accepted.id, accepted.seq) == (message.id, message.seq)
        await ann.send(room, "end")
        assert contents(await messages_until(ann, "end")) == ["end"]
    sent = [frame["data"] for frame in relay.seen if frame["event"] == "message"]
    assert [data["content"] for data in sent] == ["once", "once", "end"]
    assert sent[0]["clientMsgId"] == sent[1]["clientMsgId"]
    assert [data.get("resend", False) for data in sent] == [False, True, False]


def with_another(way_in: dict[str, str]) -> Callable[[Frame], bool]:
    """Change what a client has to enter a room."""

    def change(frame: Frame) -> bool:
        if frame["event"] == "joinRoom":
            frame["data"] |= way_in
        return True

    return change


async def test_passwords_are_remembered(gateway: str, room: str) -> None:
    """A protected room is entered again, by grant or password; without either it is lost."""
    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann", policy=QUICK) as ann,
    ):
        await ann.create_room(room, "s3cret")
        await ann.join_room(room, "s3cret")
        for way_in in ({"password": "other"}, {"grant": "x"}):
            relay.to_server = with_another(way_in)
            relay.cut()
            await until(ann, CaughtUp)
            await ann.send(room, "in again")
        relay.to_server = with_another({"password": "other", "grant": "x"})
        relay.cut()
        lost, _ = await until(ann, RoomLost)
        assert (lost.room, lost.code, ann.rooms) == (room, "forbidden", [])
        with pytest.raises(ChatError) as refusal:
            await ann.send(room, "hello?")
        assert refusal.value.code == "not_joined"


async def test_what_could_be_done_twice_is_not(gateway: str, room: str) -> None:
    """A deletion, and a message without a name, fail when their answer is lost."""
    async with Relay(gateway) as relay:
        for username in ("ann", None):
            async with ChatClient(relay.url, username=username, policy=QUICK) as client:
                if username:
                    await client.create_room(room)
                await client.join_room(room)
                relay.seen.clear()
                relay.to_client = lambda frame: frame["event"] != "reply"
                asking: asyncio.Future[object] = asyncio.ensure_future(
                    client.delete_messages(room) if username else client.send(room, "x")
                )
                await until(client, HistoryCleared if username else Message)
                relay.to_client = all_frames
                relay.cut()
                with pytest.raises(ConnectionLost, match="before the answer"):
                    await asking
                await until(client, CaughtUp)
                asked = "deleteMessages" if username else "message"
                assert sum(frame["event"] == asked for frame in relay.seen) == 1


async def test_retryable_errors_are_tried_again(gateway: str, room: str) -> None:
    """A retryable error is tried again, as the same message; one that lasts comes in the end."""
    refusals = 2

    def refuse(frame: Frame) -> bool:
        nonlocal refusals
        if frame["event"] == "reply" and "seq" in frame["data"] and refusals:
            refusals -= 1
            error = {"code": "overloaded", "message": "too much", "retryable": True}
            frame |= {"event": "error", "data": error}
        return True

    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann", deadline=8) as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        relay.to_client = refuse
        relay.seen.clear()
        accepted = await ann.send(room, "x")
        assert accepted.seq == 1
        assert len({frame["data"]["clientMsgId"] for frame in relay.seen}) == 1
        again = [frame["data"].get("resend", False) for frame in relay.seen]
        assert again == [False, True, True]
        refusals = 10**6
        with pytest.raises(ChatError, match="too much"):
            await ann.send(room, "y")


async def test_the_deadline(gateway: str, room: str) -> None:
    """Without a server a request ends at its deadline, and the client goes on trying."""
    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann", deadline=3, policy=QUICK) as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await relay.shut()
        with pytest.raises(TimeoutError, match=r"within 3 s"):
            await ann.send(room, "x")
        await relay.open()
        await until(ann, CaughtUp)
        await ann.send(room, "y")
        assert contents(await messages_until(ann, "y")) == ["y"]


async def test_a_leaving_server_says_when_to_come_back(gateway: str, room: str) -> None:
    """Told to connect again after a while, the client does so by itself, and catches up."""

    def leaving(frame: Frame) -> bool:
        if frame["event"] == "reply" and "seq" in frame["data"]:
            relay.to_client = all_frames
            frame |= {"event": "reconnect", "data": {"afterMs": 50}}
            del frame["id"]
        return True

    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann", policy=QUICK) as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        relay.to_client = leaving
        accepted = await ann.send(room, "x")
        assert accepted.seq == 1
        events: list[Event] = (await until(ann, CaughtUp))[1]
        assert sum(isinstance(event, Message) for event in events) == 1
