"""Pages of the list of a user's direct chats, over REST and by `getChats`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
import pytest_asyncio

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.protocols import connect

Pages = AsyncIterator[list[dict[str, Any]]]
Lists = Callable[[int, int], Pages]

_users = count(5_000_000)


@pytest_asyncio.fixture
async def http(cluster: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the load balancer."""
    async with httpx.AsyncClient(base_url=cluster.url) as client:
        yield client


async def _by_rest(http: httpx.AsyncClient, user: int, limit: int) -> Pages:
    """Follow `Link` from page to page."""
    url: str | None = str(http.base_url.join(f"/chats/user/{user}?limit={limit}"))
    while url:
        answer = await http.get(url)
        assert answer.status_code == 200
        yield answer.json()
        following = answer.links.get("next")
        assert not following or following["url"].startswith("?")
        url = urljoin(url, following["url"]) if following else None


async def _by_frames(client: Peer, user: int, limit: int) -> Pages:
    """Give the `next` of each reply as the following `before`."""
    before = None
    while True:
        asked = {"userId": user, "limit": limit, "before": before}
        before = (await client.request("getChats", asked))["next"]
        yield (await client.next("chatsList"))["data"]
        if before is None:
            return


@pytest_asyncio.fixture(params=["rest", "json", "msgpack", "socket.io"])
async def pages(
    cluster: Cluster, http: httpx.AsyncClient, request: pytest.FixtureRequest
) -> AsyncIterator[Lists]:
    """Reads the list of a user's chats page by page, over each way there is."""
    if request.param == "rest":
        yield partial(_by_rest, http)
        return
    async with connect(cluster, 1, protocol=request.param) as peer:
        yield partial(_by_frames, peer)


async def _talk(peer: Peer, user: int, other: int) -> int:
    """Let a user write to another one, and return the id of their chat."""
    sent = {"senderId": user, "receiverId": other, "content": "hi"}
    return int((await peer.request("sendMessage", sent))["chatId"])


async def _talk_to(peer: Peer, user: int, others: list[int]) -> list[int]:
    """Do so with each of several users; the list will have the chats the other way round."""
    chats = []
    for other in others:
        chats.append(await _talk(peer, user, other))
        await asyncio.sleep(0.002)  # times are whole milliseconds
    return chats


def _ids(page: list[dict[str, Any]]) -> list[int]:
    return [chat["id"] for chat in page]


async def test_pages_are_the_list(cluster: Cluster, http: httpx.AsyncClient, pages: Lists) -> None:
    """Pages have `limit` chats, say if more follow, and together are the list in its order."""
    user = next(_users)
    async with Peer(cluster.gateway_url(2)) as ann:
        await ann.request("userOnline", user)
        chats = await _talk_to(ann, user, [next(_users) for _ in range(7)])
        await _talk(ann, user, (await http.get(f"/chats/{chats[2]}")).json()["user2Id"])
    whole = await http.get(f"/chats/user/{user}")
    assert "link" not in whole.headers
    assert _ids(whole.json()) == [chats[2], *reversed(chats[3:]), *reversed(chats[:2])]
    for limit, sizes in {3: [3, 3, 1], 7: [7], 1000: [7], 1: [1] * 7}.items():
        read = [page async for page in pages(user, limit)]
        assert [len(page) for page in read] == sizes
        assert [chat for page in read for chat in page] == whole.json()
    assert [page async for page in pages(next(_users), 5)] == [[]]


async def test_chats_that_move_meanwhile(cluster: Cluster, pages: Lists) -> None:
    """While messages come, each chat is in the pages once, in the order of the first page."""
    user = next(_users)
    others = [next(_users) for _ in range(9)]
    async with Peer(cluster.gateway_url(2)) as ann:
        await ann.request("userOnline", user)
        chats = await _talk_to(ann, user, others)
        read: list[list[dict[str, Any]]] = []
        async for page in pages(user, 3):
            read.append(page)
            # One of each page moves: of those that were read, and of those that were not.
            for other in (others[8], others[7], others[4], others[0], others[0]):
                await _talk(ann, user, other)
    assert [_ids(page) for page in read] == [chats[:5:-1], chats[5:2:-1], chats[2::-1]]
    # Each is shown as it is when its page is read.
    assert read[2][2]["lastMessage"]["seq"] == 5


async def test_chats_that_begin_meanwhile(cluster: Cluster, pages: Lists) -> None:
    """A chat that is new comes at the end; one that is deleted does not, and ends no page."""
    user = next(_users)
    async with Peer(cluster.gateway_url(2)) as ann, httpx.AsyncClient(base_url=cluster.url) as http:
        await ann.request("userOnline", user)
        chats = await _talk_to(ann, user, [next(_users) for _ in range(6)])
        read = []
        async for page in pages(user, 2):
            read.append(_ids(page))
            if len(read) == 1:
                new = await _talk(ann, user, next(_users))
                for gone in (chats[4], chats[2]):  # the place of the next page, and one of it
                    assert (await http.delete(f"/chats/{gone}")).status_code == 200
    assert [chat for page in read for chat in page] == [
        *(chats[5], chats[4]),
        *(chats[3], chats[1], chats[0], new),
    ]


async def test_a_chat_with_very_many_messages_meanwhile(cluster: Cluster, pages: Lists) -> None:
    """A chat with more messages since than are looked behind is not lost: it comes at the end."""
    user, others = next(_users), [next(_users) for _ in range(4)]
    async with Peer(cluster.gateway_url(2)) as ann:
        await ann.request("userOnline", user)
        chats = await _talk_to(ann, user, others)
        read = []
        async for page in pages(user, 2):
            read += _ids(page)
            if len(read) == 2:
                await asyncio.gather(*(_talk(ann, user, others[1]) for _ in range(130)))
    assert read == [chats[3], chats[2], chats[0], chats[1]]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *(("limit", each) for each in ("0", "-1", "1001", "1.5", "1e2", "x", "", "9" * 39)),
        *(("before", each) for each in ("x", "1.2", "1.2.3.4", "-1.2.3", "1.2." + "9" * 39)),
    ],
)
async def test_bad_pages(cluster: Cluster, http: httpx.AsyncClient, name: str, given: str) -> None:
    """A bad `limit` or `before` is refused, and the error names it."""
    answer = await http.get("/chats/user/1", params={name: given})
    assert answer.status_code == 400
    assert f"`{name}`" in answer.json()["message"]
    async with Peer(cluster.gateway_url(1)) as ann:
        with pytest.raises(Refusal, match=rf"data\.{name}") as refusal:
            await ann.request("getChats", {"userId": 1, name: given})
        assert refusal.value.code == "bad_request"


async def test_chats_after_a_chat(http: httpx.AsyncClient, cluster: Cluster) -> None:
    """The id of a chat stands for its place: the chats after it come, in both ways to ask."""
    user = next(_users)
    async with Peer(cluster.gateway_url(1)) as ann:
        await ann.request("userOnline", user)
        chats = (await _talk_to(ann, user, [next(_users) for _ in range(5)]))[::-1]
        for place, chat in enumerate(chats, 1):
            for given in (chat, str(chat)):
                asked = {"userId": user, "before": given, "limit": 2}
                reply = await ann.request("getChats", asked)
                found = _ids((await ann.next("chatsList"))["data"])
                while reply["next"]:
                    reply = await ann.request("getChats", {**asked, "before": reply["next"]})
                    found += _ids((await ann.next("chatsList"))["data"])
                assert found == chats[place:]
            page = await http.get(f"/chats/user/{user}", params={"before": chat})
            assert _ids(page.json()) == chats[place:]
        with pytest.raises(Refusal) as refusal:
            await ann.request("getChats", {"userId": user, "before": 1})
        assert refusal.value.code == "not_found"
        answer = await http.get(f"/chats/user/{user}", params={"before": 1})
        assert answer.status_code == 404


async def test_a_list_has_the_newest() -> None:
    """A list has CHATS_LIMIT chats at most, whoever asks in whatever way; older ones follow."""
    user = next(_users)
    async with Cluster(env={"CHATS_LIMIT": "3"}) as cluster:
        async with (
            Peer(cluster.gateway_url(1)) as ann,
            Peer(cluster.gateway_url(2)) as bob,
            httpx.AsyncClient(base_url=cluster.gateway_url(2)) as http,
        ):
            chats = []
            for other in [next(_users) for _ in range(5)]:
                async with Peer(cluster.gateway_url(2), f"username={other}") as peer:
                    chats.append(await _talk(peer, other, user))
                    await asyncio.sleep(0.002)  # times are whole milliseconds
            chats.reverse()
            online = await bob.request("userOnline", user)
            assert _ids((await bob.next("chatsList"))["data"]) == chats[:3]
            for asked in (user, {"userId": user}, {"userId": user, "limit": 1000}):
                reply = await ann.request("getChats", asked)
                assert _ids((await ann.next("chatsList"))["data"]) == chats[:3]
            for before in (reply["next"], online["next"]):
                last = await ann.request("getChats", {"userId": user, "before": before})
                assert last["next"] is None
                assert _ids((await ann.next("chatsList"))["data"]) == chats[3:]
            assert _ids((await http.get(f"/chats/user/{user}")).json()) == chats[:3]


async def test_places_that_nobody_gave(http: httpx.AsyncClient, cluster: Cluster) -> None:
    """A made-up place is a place like any other: no error, and work within bounds."""
    user = next(_users)
    async with Peer(cluster.gateway_url(2)) as ann:
        await ann.request("userOnline", user)
        chats = await _talk_to(ann, user, [next(_users) for _ in range(3)])
    top = "9" * 16
    for before, found in {
        "0.0.0": [],
        f"{top}.{top}.{top}": chats[::-1],
        f"{top}.1.0": chats[::-1],
    }.items():
        page = (await http.get(f"/chats/user/{user}", params={"before": before})).json()
        assert sorted(_ids(page)) == sorted(found)
