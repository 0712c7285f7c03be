"""What becomes of messages that no server takes: they fail, and others go on."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from parley_chat import ChatClient, ChatError, Disconnected, Event
from parley_chat.connection.wire import WireName
from tests.integration.clients.python.listening import QUICK, contents, messages_until
from tests.integration.clients.python.relay import Frame, Relay, all_frames
from tests.support.cluster import Cluster

HALF = "cut\ud83d off"

BAD = {
    "half of a surrogate pair": (HALF, "bad_request", "half of a surrogate pair"),
    "NUL": ("a\0b", "bad_request", "NUL"),
    "nothing": ("", "bad_request", "at least one character"),
    "one character too many": ("x" * 4001, "too_long", "at most 4000 characters"),
    "more than a frame takes": ("x" * 70_000, "too_long", "at most 4000 characters"),
}


@pytest.mark.parametrize("wire", ["json", "msgpack"])
async def test_what_no_server_takes(gateway: str, room: str, wire: WireName) -> None:
    """A message that no server takes fails with the reason, without a reconnect; others go on."""
    async with ChatClient(gateway, username="ann", wire=wire) as ann:
        assert (ann.max_content, ann.max_frame) == (4000, 65_536)
        await ann.create_room(room)
        await ann.join_room(room)
        sends = (partial(ann.send, room), partial(ann.send_to, "bob"))
        for name, (content, code, message) in BAD.items():
            for send in sends:
                with pytest.raises(ChatError, match=message) as refused:
                    await send(content)
                assert (refused.value.code, refused.value.retryable) == (code, False), name
                await send(f"after {name}")
        await ann.send(room, "\N{GRINNING FACE}" * 4000)
        await ann.send(room, "end")
        events = await messages_until(ann, "end")
        assert contents(events)[:-2] == [f"after {name}" for name in BAD]
        with pytest.raises(ChatError, match="more than the server takes") as refused:
            await ann.request("getRooms", {"after": "x" * 70_000})
        assert refused.value.code == "too_long"
        with pytest.raises(ChatError, match="more than the server takes"):
            await ann.emit("fly", "x" * 70_000)
        assert await ann.request("getRooms") == {}
        assert ann.state == "connected"


def says_more(frame: Frame) -> bool:
    """Let a `welcome` promise more than the server takes."""
    if frame["event"] == "welcome":
        frame["data"] |= {"maxContent": 10**6, "maxFrame": 10**6}
    return True


async def test_a_frame_too_large_is_not_sent_again(gateway: str, room: str) -> None:
    """Close code 1009 is the answer to the largest request under way; the others are repeated."""
    lost: list[Event] = []
    async with Relay(gateway) as relay:
        relay.to_client = says_more
        async with ChatClient(relay.url, username="ann", policy=QUICK) as ann:
            await ann.create_room(room)
            await ann.join_room(room)
            sends = [ann.send(room, text) for text in ("a", "b", "x" * 70_000, "c")]
            answers = await asyncio.gather(*sends, return_exceptions=True)
            assert [type(answer).__name__ for answer in answers] == [
                *("SentMessage", "SentMessage", "ChatError", "SentMessage")
            ]
            assert isinstance(answers[2], ChatError)
            assert answers[2].code == "too_long"
            await ann.send(room, "end")
            async for event in ann.events():
                if isinstance(event, Disconnected):
                    lost.append(event)
                if getattr(event, "content", "") == "end":
                    break
        tries = [frame for frame in relay.seen if len(str(frame)) > 70_000]
        assert (len(lost), len(tries)) == (1, 1)


def answering(frame: Frame) -> Callable[[Frame], bool]:
    """Replace the reply to a send by another frame with its id, if that has one."""

    def change(received: Frame) -> bool:
        if received["event"] == "reply" and "seq" in (received["data"] or {}):
            identified = {"id": received["id"]} if "id" in frame else {}
            received.clear()
            received.update({**frame, **identified})
        return True

    return change


UNREADABLE = {"code": "bad_frame", "message": "unreadable", "retryable": False}
ANSWERS: dict[str, tuple[Frame, str]] = {
    "bad_frame without an id": ({"event": "error", "data": UNREADABLE}, "bad_frame"),
    "an unknown code": ({"event": "error", "id": 0, "data": {"code": "new", "message": ""}}, "new"),
    "an error that says nothing": ({"event": "error", "id": 0}, "internal"),
    "an error of another form": ({"event": "error", "id": 0, "data": ["x"]}, "internal"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_answers_of_other_kinds(gateway: str, room: str, name: str) -> None:
    """Whatever error answers a send, it fails at once, and the next one goes on."""
    answer, code = ANSWERS[name]
    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann", listen=False) as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        relay.to_client = answering(answer)
        with pytest.raises(ChatError) as refused:
            await ann.send(room, "refused")
        assert refused.value.code == code
        relay.to_client = all_frames
        await ann.send(room, "next")


async def test_no_answer_at_all(gateway: str, room: str) -> None:
    """A send that is never answered fails at the deadline, and the next one goes on."""
    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann", deadline=5, listen=False) as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        relay.to_server = lambda frame: (frame["data"] or {}).get("content") != "lost"
        sends = [ann.send(room, text) for text in ("lost", "next")]
        answers = await asyncio.gather(*sends, return_exceptions=True)
        assert isinstance(answers[0], TimeoutError)
        assert not isinstance(answers[1], BaseException)


async def test_the_limits_of_another_server(room: str) -> None:
    """A client takes the limits that its server says, before its first message."""
    async with Cluster(gateways=1, env={"MAX_CONTENT": "16000"}) as generous:
        async with ChatClient(generous.gateway_url(1), username="ann", listen=False) as ann:
            assert (ann.max_content, ann.max_frame) == (16_000, 200_192)
            await ann.create_room(room)
            await ann.join_room(room)
            await ann.send(room, "\N{GRINNING FACE}" * 16_000)
            with pytest.raises(ChatError, match="at most 16000 characters"):
                await ann.send(room, "x" * 16_001)
