"""The reference of the protocol says what a cluster does: its examples, and the types of data."""

import json
import os
from collections.abc import Mapping
from typing import Any

import pytest_asyncio
from jsonschema import Draft202012Validator

from gateway.api.actions import EVENTS
from tests.support.cluster import Cluster
from tests.support.peer import Frame, Peer
from tools.reference import asyncapi, examples
from tools.reference.documents import as_json
from tools.reference.server_messages import server_messages

ELSEWHERE = {"lagged", "reconnect", "resume_required", "skipped"}
"""Events of failures; tests of their own show when they come."""

Book = dict[str, dict[str, Frame]]


class Recorder(Peer):
    """A client that keeps an example of each frame that it sends and gets."""

    def __init__(self, url: str, query: str, book: Book) -> None:
        super().__init__(url, query)
        self.book = book
        self.asked: dict[int, str] = {}

    async def ask(self, event: str, data: object = None) -> Any:  # noqa: ANN401 - any payload
        """Send a request, keep it and its reply, and return the data of the reply."""
        number = len(self.asked) + 1
        frame: Frame = {"event": event, "data": data, "id": number}
        if data is None:
            del frame["data"]
        answer = await self.request(event, data)
        self.asked[number] = event
        self.book["sent"].setdefault(event, frame)
        self.book["replies"].setdefault(event, {"event": "reply", "id": number, "data": answer})
        return answer

    def keep(self) -> None:
        """Keep an example of each event that came."""
        for frame in self.frames:
            if frame["event"] not in ("reply", "error"):
                kept = self.book["received"].setdefault(frame["event"], frame)
                if not kept["data"]:  # an empty list shows little
                    self.book["received"][frame["event"]] = frame


async def _talk_in_a_room(cluster: Cluster, book: Book) -> None:
    async with (
        Recorder(cluster.gateway_url(1), "username=ann&welcome=1&durable=1", book) as ann,
        Recorder(cluster.gateway_url(2), "username=bob", book) as bob,
    ):
        await ann.ask("setUsername", {"username": "ann"})
        await ann.ask("createRoom", {"name": "garden", "password": "rosebud"})
        await ann.ask("joinRoom", {"room": "garden", "password": "rosebud"})
        await bob.ask("joinRoom", {"room": "garden", "password": "rosebud"})
        await ann.ask("getRooms", {"limit": 100})
        message = {"room": "garden", "content": "hello", "clientMsgId": "c3f1a9"}
        accepted = await ann.ask("message", message)
        await ann.next("durable")
        await bob.next("message")
        await bob.ask("typing", {"room": "garden"})
        await ann.next("typing")
        await bob.ask("seen", {"room": "garden", "seq": accepted["seq"]})
        await ann.next("seen")
        await ann.ask("history", {"room": "garden", "after": 0, "limit": 100})
        await _come_back(cluster, book)
        await ann.ask("deleteMessage", {"messageId": accepted["id"]})
        await ann.ask("deleteMessages", {"room": "garden"})
        await ann.ask("setPassword", {"room": "garden", "password": "daisy"})
        await ann.ask("setModerator", {"room": "garden", "user": "bob", "moderator": True})
        await ann.ask("kick", {"room": "garden", "user": "bob"})
        await ann.ask("ban", {"room": "garden", "user": "bob"})
        await ann.ask("getStandings", {"room": "garden", "standing": "banned", "limit": 100})
        await ann.ask("getModerationLog", {"room": "garden", "limit": 100})
        await ann.request("setPassword", {"room": "garden", "password": ""})
        await ann.ask("unban", {"room": "garden", "user": "bob"})
        await ann.next("unbanned")
        await bob.next("banLifted")
        ann.keep()
        bob.keep()


async def _come_back(cluster: Cluster, book: Book) -> None:
    grant = book["replies"]["joinRoom"]["data"]["grant"]
    async with Recorder(cluster.gateway_url(2), "username=ann", book) as ann:
        await ann.ask("resume", {"rooms": {"garden": 0}, "grants": {"garden": grant}})
        await ann.request("joinRoom", {"room": "garden", "grant": grant})
        await ann.ask("leaveRoom", {"room": "garden"})
        ann.keep()


async def _talk_in_a_chat(cluster: Cluster, book: Book) -> None:
    async with (
        Recorder(cluster.gateway_url(1), "username=carl", book) as carl,
        Recorder(cluster.gateway_url(2), "username=dora", book) as dora,
    ):
        await carl.ask("userOnline", {"userId": "carl"})
        await dora.ask("userOnline", {"userId": "dora"})
        await carl.next("onlineUsers")
        await carl.ask("createChat", {"user1Id": "carl", "user2Id": "dora"})
        said = {"senderId": "carl", "receiverId": "dora", "content": "Are you there?"}
        accepted = await carl.ask("sendMessage", {**said, "clientMsgId": "77aa01"})
        await dora.next("newMessage")
        await dora.ask("getChats", {"userId": "dora"})
        await dora.ask("getMessages", {"chatId": accepted["chatId"], "limit": 50})
        await dora.ask("markAsSeen", {"messageId": accepted["id"]})
        await carl.next("messageSeen")
        carl.keep()
        dora.keep()
        await dora.ask("userOffline", {"userId": "dora"})


@pytest_asyncio.fixture(scope="module")
async def book(cluster: Cluster) -> Book:
    """What clients of a cluster sent and got, with one frame of each kind."""
    book: Book = {"sent": {}, "replies": {}, "received": {}, "errors": {}}
    await _talk_in_a_room(cluster, book)
    await _talk_in_a_chat(cluster, book)
    if os.environ.get("RECORD_EXAMPLES"):
        for kind, frames in book.items():
            examples.recorded()[kind].update(frames)
        examples.FILE.write_text(as_json(examples.recorded()), encoding="utf-8")
    return book


async def test_a_cluster_does_what_the_reference_shows(book: Book) -> None:
    """Every frame of a conversation is as the AsyncAPI document says, without a field more."""
    messages = json.loads(asyncapi.document())["components"]["messages"]
    kinds = {"sent": "client", "replies": "reply", "received": "server"}
    for kind, prefix in kinds.items():
        for event, frame in book[kind].items():
            _check(messages[f"{prefix}.{event}"]["payload"], frame)


async def test_the_examples_are_what_a_cluster_does(book: Book) -> None:
    """Every request of the protocol is tried, every event comes, each as its example has it."""
    assert book["sent"].keys() == EVENTS.keys() - {"authenticate"}
    assert book["received"].keys() == server_messages().keys() - ELSEWHERE - {"chatDeleted"}
    for kind in ("sent", "replies", "received"):
        for event, frame in book[kind].items():
            shown = examples.recorded()[kind][event]
            assert _shape(frame) == _shape(shown), f"record the examples again: {event}"


def _check(schema: Mapping[str, Any], frame: Frame) -> None:
    """Hold a frame to a schema that takes no fields but those it names."""
    document = json.loads(asyncapi.document())
    components = {"components": {"schemas": _closed(document["components"]["schemas"])}}
    Draft202012Validator({**_closed(schema), **components}).validate(frame)


def _closed(schema: Any) -> Any:  # noqa: ANN401 - a part of a JSON schema
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(each) for name, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


def _shape(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the names of the fields of a frame, and the types of what is in them."""
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return "list"
    return type(value).__name__
