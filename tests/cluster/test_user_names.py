"""Names of users with AUTH_MODE=open: one user for all spellings of a name."""

import signal
import sqlite3
from contextlib import AsyncExitStack, closing
from itertools import count
from urllib.parse import quote

import httpx
import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal, Wire
from tests.support.socketio_peer import SocketIOPeer
from tests.support.stored import eventually, rows
from tests.support.tokens import KEY, token

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
SPELLINGS = {
    "capitals": ("Ann", "ANN"),
    "blanks": ("Ann Lee", "\u3000ann\u00a0 lee "),
    "accents": ("Zo\u00eb", "zoe\u0308"),
    "a family": (f"{FAMILY} Smith", f"{FAMILY}  smith"),
    "Persian": (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647",
        " \u0645\u06cc\u200c\u062e\u0648\u0627\u0647",
    ),
    "full width": ("Bo", "\uff22\uff2f"),
}
_numbers = count(1)


@pytest.mark.parametrize(("first", "typed"), SPELLINGS.values(), ids=SPELLINGS)
async def test_one_user_by_any_spelling(
    cluster: Cluster, wire: Wire, first: str, typed: str
) -> None:
    """Who connects by another spelling is the user who connected first, by every way to say it."""
    number = next(_numbers)
    first, typed = f"{first} {number}", f"{typed} {number}"
    async with Peer(cluster.gateway_url(1), f"welcome=1&username={quote(first)}", wire) as one:
        assert "user" not in (await one.next("welcome"))["data"]
        query = f"welcome=1&username={quote(typed)}"
        async with Peer(cluster.gateway_url(2), query, wire) as two:
            assert (await two.next("welcome"))["data"]["user"] == first
            assert (await two.request("setUsername", {"username": typed}))["user"] == first
        async with Peer(cluster.gateway_url(2), wire=wire) as three:
            assert (await three.request("setUsername", typed))["user"] == first
            assert await three.request("setUsername", first) == {}
            with pytest.raises(Refusal) as refused:
                await three.request("setUsername", "somebody else")
            assert refused.value.code == "forbidden"
        room = f"names {wire} {number}"
        await one.request("createRoom", {"name": room})
        async with Peer(cluster.gateway_url(2), wire=wire) as four:
            joined = await four.request("joinRoom", {"room": room, "username": typed})
            assert joined["user"] == first
            data = {"room": room, "sender": typed.upper(), "content": "hello"}
            await four.request("message", data)
            assert (await four.next("message"))["data"]["sender"] == first
        auth = {"username": typed, "welcome": True}
        async with SocketIOPeer(cluster.gateway_url(2), auth=auth) as five:
            assert (await five.next("welcome"))["data"]["user"] == first


async def test_the_chat_of_two_users_is_one(cluster: Cluster, wire: Wire) -> None:
    """A direct chat is found by any spelling of its users, over REST too, before they connect."""
    number = next(_numbers)
    ann, bob = f"Ann {wire} {number}", f"Bob {wire} {number}"
    async with (
        Peer(cluster.gateway_url(1), f"username={quote(ann)}", wire) as one,
        httpx.AsyncClient(base_url=cluster.gateway_url(2)) as rest,
    ):
        chat = await one.request("createChat", {"user1Id": ann.upper(), "user2Id": bob})
        assert (chat["user1Id"], chat["user2Id"]) == (ann, bob)
        made = await rest.post("/chats", json={"user1Id": bob.lower(), "user2Id": ann.lower()})
        assert (made.status_code, made.json()["id"]) == (201, chat["id"])
        listed = await rest.get(f"/chats/user/{quote(' ' + bob.upper())}")
        assert [found["id"] for found in listed.json()] == [chat["id"]]
        async with Peer(cluster.gateway_url(2), wire=wire) as two:
            await two.request("userOnline", bob.lower())
            data = {"senderId": ann.lower(), "receiverId": bob.upper(), "content": "hello"}
            assert (await one.request("sendMessage", data))["chatId"] == chat["id"]
            got = (await two.next("newMessage"))["data"]
            assert (got["senderId"], got["receiverId"]) == (ann, bob)


async def test_a_ban_holds_for_every_spelling(cluster: Cluster, wire: Wire) -> None:
    """A user who is banned by one spelling cannot come back by another."""
    number = next(_numbers)
    room, mallory = f"banned {number}", f"mallory {number}"
    async with Peer(cluster.gateway_url(1), f"username=owner{number}", wire) as owner:
        await owner.request("createRoom", {"name": room})
        await owner.request("joinRoom", {"room": room})
        await owner.request("ban", {"room": room.upper(), "user": f" {mallory} "})
        query = f"username={quote(mallory.upper())}"
        async with Peer(cluster.gateway_url(2), query, wire) as back:
            with pytest.raises(Refusal) as refused:
                await back.request("joinRoom", {"room": room})
            assert refused.value.code == "forbidden"


@pytest.mark.parametrize("name", ["\u2800", "\u3164", "a\u200bb", "a\nb", "\u200d", "x" * 129])
async def test_a_name_that_cannot_be_seen_is_refused(
    cluster: Cluster, wire: Wire, name: str
) -> None:
    """Nobody gets a name that cannot be seen; the sentence says what is wrong with it."""
    async with Peer(cluster.url, f"username={quote(name)}", wire) as peer:
        told = (await peer.next("error"))["data"]
        assert told["code"] == "bad_request"
        assert "a name" in told["message"]
        requests = (
            ("setUsername", {"username": name}),
            ("createChat", {"user1Id": "ann", "user2Id": name}),
        )
        for event, data in requests:
            with pytest.raises(Refusal, match="a name") as refused:
                await peer.request(event, data)
            assert refused.value.code == "bad_request"


async def test_users_of_before_keep_their_names(sturdy: Cluster) -> None:
    """Users who are stored in several spellings, or against the rules, are each found by their own.

    Another spelling stands for the one who was there first.
    """
    stored = (("Eve", "eve", 20), ("eVE", "eve", 10), ("fi\u3164x", "fi\u3164x", 30))
    with closing(sqlite3.connect(sturdy.database, timeout=30)) as connection, connection:
        connection.executemany("INSERT INTO users (name, form, since) VALUES (?, ?, ?)", stored)
    expected = {"Eve": "Eve", "eVE": "eVE", "EVE": "eVE", " eve": "eVE", "fi\u3164x": "fi\u3164x"}
    for number in (1, 2):
        for typed, name in expected.items():
            async with Peer(sturdy.gateway_url(number)) as peer:
                answer = await peer.request("setUsername", typed)
                assert answer.get("user", typed) == name


async def test_sign_in_goes_on_without_sql(sturdy: Cluster) -> None:
    """While the database is away, a user signs in at once, by the spelling that was first."""
    async with Peer(sturdy.gateway_url(1), "welcome=1&username=Gil") as first:
        await first.next("welcome")
        hidden = sturdy.database.with_suffix(".away")
        sturdy.database.rename(hidden)
        try:
            async with Peer(sturdy.gateway_url(2), "welcome=1&username=GIL") as second:
                told = await second.next("welcome", within=15)
                assert told["data"]["user"] == "Gil"
        finally:
            hidden.rename(sturdy.database)


async def test_a_connection_keeps_its_name(sturdy: Cluster) -> None:
    """A connection is known by the spelling that it gave, though that stands for another by now."""
    query = f"welcome=1&username={quote(' ida')}"
    async with AsyncExitStack() as peers:
        known = Peer(sturdy.gateway_url(1), "welcome=1&username=Ida")
        await (await peers.enter_async_context(known)).next("welcome")
        sturdy.kill("redis", signal.SIGSTOP)
        try:
            second = await peers.enter_async_context(Peer(sturdy.gateway_url(2), query))
            assert (await second.next("welcome"))["data"]["user"] == "ida"
        finally:
            sturdy.kill("redis", signal.SIGCONT)
        third = await peers.enter_async_context(Peer(sturdy.gateway_url(2), query))
        assert (await third.next("welcome"))["data"]["user"] == "Ida"
        assert (await second.request("setUsername", " ida"))["user"] == "ida"
        with pytest.raises(Refusal) as refused:
            await second.request("setUsername", "Ida")
        assert refused.value.code == "forbidden"
        assert (await second.request("setUsername", " ida"))["user"] == "ida"


async def test_users_are_stored_once(cluster: Cluster) -> None:
    """SQL knows each user who wrote, by the form of the name too, and since when."""
    number = next(_numbers)
    name = f"Writer {number}"
    async with Peer(cluster.url, f"username={quote(name)}") as peer:
        await peer.request("createRoom", {"name": f"written {number}"})
        await peer.request("joinRoom", {"room": f"written {number}"})
        for _ in range(3):
            await peer.request("message", {"room": f"written {number}", "content": "x"})
    query = "SELECT form, since > 0 FROM users WHERE name = ?"
    found = await eventually(lambda: rows(cluster.database, query, name), bool)
    assert found == [(name.lower(), 1)]


async def test_names_in_tokens_are_left_alone() -> None:
    """A token's user is compared as it is, and may have a name that nobody could choose."""
    env = {"AUTH_MODE": "jwt", "JWT_KEY": KEY}
    names = ("Ann", "ann", " ann ", "a\u200bnn", "line\nend")
    async with Cluster(env=env) as cluster:
        for name in names:
            shown = token(name)
            query = "welcome=1"
            async with Peer(cluster.gateway_url(1), query, token=shown) as peer:
                assert (await peer.next("welcome"))["data"]["user"] == name
                with pytest.raises(Refusal) as refused:
                    await peer.request("setUsername", "ANN")
                assert refused.value.code == "forbidden"
        async with Peer(cluster.gateway_url(2), token=token("Ann")) as peer:
            one = await peer.request("createChat", {"user1Id": "Ann", "user2Id": "ann"})
            other = await peer.request("createChat", {"user1Id": "Ann", "user2Id": " ann "})
            assert one["id"] != other["id"]
