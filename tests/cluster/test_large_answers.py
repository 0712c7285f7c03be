"""Answers whose items fill more bytes than a client may leave unread, in every protocol.

A client that reads gets all of them, page by page; one that does not costs no more than an outbox.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from parley_chat import ChatClient
from tests.security.doors import DOORS, Door, enter
from tests.support.cluster import Cluster
from tests.support.peer import Peer

LEAST = {"OUTBOX_LIMIT": "65536"}
"""The smallest outbox there may be."""

TEXTS: dict[str, tuple[str, int]] = {
    "control": ("\x01" * 2600, 110),
    "emoji": ("\N{GRINNING FACE}" * 4000, 110),
    "cjk": ("\u6f22" * 4000, 102),
}
"""Long texts, and how many of them a room has."""


@pytest_asyncio.fixture(scope="module", params=["usual", "least"])
async def full(request: pytest.FixtureRequest) -> AsyncIterator[Cluster]:
    """A cluster with rooms of long messages, and a user whom many have written to."""
    async with Cluster(env={} if request.param == "usual" else LEAST) as cluster:
        url = cluster.gateway_url(1)
        async with Peer(url, "username=ann") as ann:
            for name, (text, number) in {**TEXTS, "talk": TEXTS["cjk"]}.items():
                await ann.request("createRoom", {"name": name})
                await ann.request("joinRoom", {"room": name})
                for _ in range(number):
                    await ann.request("message", {"room": name, "content": text})
        for n in range(48):
            async with Peer(url, f"username=guest-{n}") as guest:
                sent = {"senderId": f"guest-{n}", "receiverId": "victim"}
                await guest.request("sendMessage", {**sent, "content": TEXTS["emoji"][0]})
        yield cluster


@asynccontextmanager
async def reader(cluster: Cluster, door: Door, name: str) -> AsyncIterator[Peer]:
    """A client that reads, whose connection is still there in the end."""
    async with enter(door, cluster.gateway_url(2), f"username={name}") as peer:
        yield peer
        await peer.request("getRooms")
        assert peer.close_code is None


@pytest.mark.parametrize("door", DOORS)
async def test_a_room_of_long_messages(full: Cluster, door: Door) -> None:
    """A room of long messages is joined and read to its first one, and to its last, whole."""
    async with reader(full, door, "eve") as eve:
        for room, (text, number) in TEXTS.items():
            joined = await eve.request("joinRoom", {"room": room})
            newest = (await eve.next("messageHistory", room=room))["data"]
            found, before = newest, joined["next"]
            while before is not None:
                page = await eve.request("history", {"room": room, "before": before, "limit": 1000})
                found, before = page["items"] + found, page["next"]
            assert [item["seq"] for item in found] == list(range(1, number + 1))
            assert all(item["content"] == text for item in found)
            found, after = [], 0
            while after is not None:
                page = await eve.request("history", {"room": room, "after": after, "limit": 1000})
                found, after = found + page["items"], page["next"]
            assert [item["seq"] for item in found] == list(range(1, number + 1))


@pytest.mark.parametrize("door", DOORS)
async def test_live_messages_between_pages(full: Cluster, door: Door) -> None:
    """Messages that come while a client joins and reads pages reach it, and do not end it."""
    room = "talk"
    async with (
        reader(full, door, "joe") as joe,
        Peer(full.gateway_url(2), "username=ann") as ann,
    ):
        await ann.request("joinRoom", {"room": room})
        talking = [ann.request("message", {"room": room, "content": "hi"}) for _ in range(5)]
        joined, *_ = await asyncio.gather(joe.request("joinRoom", {"room": room}), *talking)
        last = (await ann.request("message", {"room": room, "content": "last"}))["seq"]
        shown = [item["seq"] for item in (await joe.next("messageHistory"))["data"]]
        while (seen := (await joe.next("message", room=room))["data"])["seq"] < last:
            shown.append(seen["seq"])
        assert [*shown, last] == list(range(shown[0], last + 1))
        assert joined["next"] == shown[0]


@pytest.mark.parametrize("door", DOORS)
async def test_long_messages_of_many_guests(full: Cluster, door: Door) -> None:
    """48 long messages of others do not end their user's `userOnline` and `getChats`."""
    async with reader(full, door, "victim") as victim:
        online = await victim.request("userOnline", "victim")
        unread = [chat["id"] for chat in (await victim.next("chatsList"))["data"]]
        assert online.get("next"), "all chats in one answer"
        asked: dict[str, Any] = {"userId": "victim"}
        found: list[int] = []
        while asked.get("before", "") is not None:
            reply = await victim.request("getChats", asked)
            found += [chat["id"] for chat in (await victim.next("chatsList"))["data"]]
            asked["before"] = reply["next"]
        assert len(found) == len(set(found)) == 48
        assert unread == found[: len(unread)]
        asked["before"] = online["next"]
        await victim.request("getChats", asked)
        following = (await victim.next("chatsList"))["data"]
        assert following[0]["id"] == found[len(unread)]
        chat = found[0]
        page = await victim.request("getMessages", chat)
        assert page["next"] is None
        assert len((await victim.next("loadMessages"))["data"]) == 1
    async with httpx.AsyncClient(base_url=full.gateway_url(1)) as http:
        path, listed = "/chats/user/victim", list[int]()
        while path:
            answer = await http.get(path)
            assert len(answer.content) <= 600_000
            listed += [chat["id"] for chat in answer.json()]
            following = answer.links.get("next", {}).get("url", "")
            path = f"/chats/user/victim{following}" if following else ""
        assert listed == found


@pytest.mark.parametrize("door", DOORS)
async def test_many_requests_at_once(full: Cluster, door: Door) -> None:
    """50 pages that a client asks for at once all come, in the order in which it asked."""
    async with reader(full, door, "pip") as pip:
        for room in TEXTS:
            await pip.request("joinRoom", {"room": room})
        answers: list[int] = []

        async def ask(n: int) -> None:
            asked = {"room": list(TEXTS)[n % 3], "before": 100 - n, "limit": 1000}
            answers.append((await pip.request("history", asked))["items"][-1]["seq"])

        await asyncio.gather(*map(ask, range(50)))
        assert answers == [99 - n for n in range(50)]


LONG_NAMES = ["\u6f22" + "\u5b57" * 120 + f" {n:03}" for n in range(150)]
"""Names of 370 bytes each: the smallest page takes 80 or so."""


async def test_long_names(full: Cluster) -> None:
    """Lists of rooms and of banned users with long names come whole, page by page."""
    async with Peer(full.gateway_url(1), "username=ann") as ann:
        await ann.request("createRoom", {"name": "banned"})
        await ann.request("joinRoom", {"room": "banned"})
        await asyncio.gather(
            *(ann.request("createRoom", {"name": name}) for name in LONG_NAMES),
            *(ann.request("ban", {"room": "banned", "user": name}) for name in LONG_NAMES),
        )
    for door in DOORS:
        async with reader(full, door, "ann") as again:
            await again.request("joinRoom", {"room": "banned"})
            found: list[str] = []
            after: str | None = "\u6f22"
            while after is not None:
                after = (await again.request("getRooms", {"after": after})).get("next")
                found += [room["name"] for room in (await again.next("rooms"))["data"]]
            assert found == LONG_NAMES
            users: list[str] = []
            more = True
            while more:
                asked = {"room": "banned", "after": users[-1] if users else None}
                page = await again.request("getStandings", asked)
                users, more = users + page["users"], page["more"]
            assert users == LONG_NAMES
    async with ChatClient(full.gateway_url(1), username="joe", listen=False) as joe:
        assert [room.name for room in await joe.get_rooms(after="\u6f22")] == LONG_NAMES
