"""Direct chats while processes die and connections are cut."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio
from redis.exceptions import RedisError

from shared.broker.scripts import source
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.proxy import Proxy
from tests.support.stored import eventually, rows
from tests.support.valkey import Valkey
from tests.support.waiting import HANGS_AFTER
from tests.support.wholeness import until_whole


async def chats_of(cluster: Cluster, user: int) -> list[dict[str, Any]]:
    """What a fresh connection of a user finds in its list, retried while processes come back."""
    while True:
        try:
            async with Peer(cluster.url) as peer:
                await peer.request("getChats", user)
                found: list[dict[str, Any]] = (await peer.next("chatsList"))["data"]
                return found
        except Exception:  # noqa: BLE001 - whatever a dying process comes to
            await asyncio.sleep(0.1)


async def test_seen_and_unread_survive_every_death(sturdy: Cluster) -> None:
    """Kill -9 of a gateway, of the persister and of both: seen marks and counts stay true."""
    for number, victims in enumerate(
        (["gateway-2"], ["persister-1"], ["gateway-1", "gateway-2", "persister-1"])
    ):
        one, other = 10 * number + 1, 10 * number + 2
        async with (
            Peer(sturdy.gateway_url(1)) as ann,
            Peer(sturdy.gateway_url(2)) as bob,
        ):
            await ann.request("userOnline", one)
            await bob.request("userOnline", other)
            sent = []
            for n in range(10):
                data = {"senderId": one, "receiverId": other, "content": str(n)}
                sent.append(await ann.request("sendMessage", data))
            await bob.request("markAsSeen", sent[3]["id"])
            await ann.request("deleteMessage", sent[6]["id"])
            back = {"senderId": other, "receiverId": one, "content": "mine"}
            await bob.request("sendMessage", back)
            killed = {victim: sturdy.kill(victim) for victim in victims}
        for victim, pid in killed.items():
            await sturdy.wait_restarted(victim, pid)
        [theirs] = await chats_of(sturdy, other)
        assert theirs["unread"] == 5
        [ours] = await chats_of(sturdy, one)
        assert ours["unread"] == 1
        await until_whole(sturdy)
        async with Peer(sturdy.url) as bob:
            await bob.request("userOnline", other)
            await bob.request("getMessages", theirs["id"])
            shown = (await bob.next("loadMessages"))["data"]
            mine = [m for m in shown if m["senderId"] == one]
            assert [m["content"] for m in mine] == list("012345789")
            assert [m["seen"] for m in mine] == [True] * 4 + [False] * 5


async def test_first_messages_arrive_while_subscriptions_are_cut(sturdy: Cluster) -> None:
    """1,000 first messages to users on another gateway arrive while pub/sub is killed 20 times."""
    broker: Any = redis.asyncio.Redis.from_url(sturdy.redis_url)
    cuts = sent = 0

    async def cut() -> None:
        nonlocal cuts
        while True:
            cuts += int(await broker.execute_command("CLIENT", "KILL", "TYPE", "pubsub"))
            await asyncio.sleep(0.15)

    async def write() -> None:
        nonlocal sent
        while sent < 1000 or cuts < 20:
            n, sent = sent, sent + 1
            async with Peer(sturdy.gateway_url(1)) as sender:
                await sender.request("setUsername", f"u{n}")
                data = {"senderId": f"u{n}", "receiverId": "bob", "content": str(n)}
                await sender.request("sendMessage", data)

    async with (
        Peer(sturdy.gateway_url(1)) as ann,
        Peer(sturdy.gateway_url(2)) as bob,
    ):
        await ann.request("userOnline", "ann")
        await bob.request("userOnline", "bob")
        cutting = asyncio.create_task(cut())
        await asyncio.gather(*(write() for _ in range(8)))
        cutting.cancel()
        got = await bob.until(sent, "newMessage", None)
        assert sorted(int(m["content"]) for m in got) == list(range(sent))
    await broker.aclose()


@pytest.fixture(scope="module")
async def behind_proxy() -> AsyncIterator[tuple[Cluster, Proxy]]:
    """Two gateways, and what is between them and their broker."""
    async with Valkey() as server, Proxy(server.port) as proxy:
        async with Cluster(env={"REDIS_URL": proxy.url}) as running:
            yield running, proxy


async def test_a_refused_resume_forgets_nothing(behind_proxy: tuple[Cluster, Proxy]) -> None:
    """What was missed while offline comes with the second resume when the first was refused.

    What is said between the two comes with it, too, and not before.
    """
    cluster, proxy = behind_proxy
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        Peer(cluster.gateway_url(1), "username=bob") as bob,
    ):
        for peer, name in ((ann, "ann"), (bob, "bob")):
            await peer.request("userOnline", name)
        sends = [{"senderId": "ann", "receiverId": "bob", "content": n} for n in "12345"]
        first = await ann.request("sendMessage", sends[0])
        await bob.next("newMessage")
        chat = {"chats": {str(first["chatId"]): first["seq"]}}
        await bob.request("resume", chat)
        await bob.request("userOffline", "bob")
        for send in sends[1:3]:
            await ann.request("sendMessage", send)
        await ann.until(3, "newMessage", None)
        read_log = hashlib.sha1(source("read_log").encode()).hexdigest()  # noqa: S324 - the server's choice
        proxy.lose_replies(read_log.encode())
        with pytest.raises(Refusal, match="broker_unavailable"):
            await bob.request("resume", chat)
        await ann.request("sendMessage", sends[3])
        await ann.until(4, "newMessage", None)
        proxy.lose_replies(None)
        await bob.request("resume", chat)
        await ann.request("sendMessage", sends[4])
        await bob.until(5, "newMessage", None)
        assert [m["content"] for m in bob.all("newMessage")] == list("12345")


async def test_coming_online_again_after_a_refusal(behind_proxy: tuple[Cluster, Proxy]) -> None:
    """Who could not come online while the broker was silent hears of active chats with the next."""
    cluster, proxy = behind_proxy
    async with (
        Peer(cluster.gateway_url(1), "username=cyd") as cyd,
        Peer(cluster.gateway_url(2), "username=dan") as dan,
    ):
        await cyd.request("userOnline", "cyd")
        send = {"senderId": "cyd", "receiverId": "dan", "content": "1"}
        await cyd.request("sendMessage", send)
        find_room = hashlib.sha1(source("find_room").encode()).hexdigest()  # noqa: S324 - the server's choice
        proxy.lose_replies(find_room.encode())
        with pytest.raises(Refusal, match="broker_unavailable"):
            await dan.request("userOnline", "dan")
        proxy.lose_replies(None)
        await dan.request("userOnline", "dan")
        await cyd.request("sendMessage", {**send, "content": "2"})
        # The first one may have come while he tried: its wake can be that late.
        while (await dan.next("newMessage"))["data"]["content"] != "2":
            pass


async def test_a_killed_gateways_users_go_offline(sturdy: Cluster) -> None:
    """Kill -9 a gateway: those who were only there are offline, the others stay online."""
    async with (
        Peer(sturdy.gateway_url(1)) as ann,
        Peer(sturdy.gateway_url(2)) as bob,
        Peer(sturdy.gateway_url(2)) as carol,
        Peer(sturdy.gateway_url(1)) as carol_too,
    ):
        for peer, user in ((ann, 1), (bob, 2), (carol, 3), (carol_too, 3)):
            await peer.request("userOnline", user)
        while (await ann.next("onlineUsers"))["data"] != [1, 2, 3]:
            pass
        killed = time.monotonic()
        sturdy.kill("gateway-2")
        while (await ann.next("onlineUsers"))["data"] != [1, 3]:
            pass
        print(f"users of a killed gateway are offline after {time.monotonic() - killed:.1f} s")


async def test_a_clean_leave_shows_at_once() -> None:
    """Who closes a connection is offline long before those whose gateway was killed earlier."""
    async with (
        Cluster(gateways=3) as cluster,
        Peer(cluster.gateway_url(1)) as ann,
        Peer(cluster.gateway_url(3)) as carol,
    ):
        await ann.request("userOnline", 1)
        await carol.request("userOnline", 3)
        async with Peer(cluster.gateway_url(2)) as bob:
            await bob.request("userOnline", 2)
            while (await ann.next("onlineUsers"))["data"] != [1, 2, 3]:
                pass
            known = len(ann.all("onlineUsers"))
            cluster.kill("gateway-3")
        while (await ann.next("onlineUsers"))["data"] != [1]:
            pass
        assert ann.all("onlineUsers")[known:] == [[1, 3], [1]]


@pytest.fixture(scope="module")
async def narrow() -> AsyncIterator[Cluster]:
    """Two gateways for which two connections are many."""
    async with Cluster(env={"BROADCAST_LIMIT": "1"}) as running:
        yield running


async def test_above_the_limit_one_sees_ones_partners(narrow: Cluster) -> None:
    """Above BROADCAST_LIMIT connections, `onlineUsers` has those with whom one has a chat."""
    async with (
        Peer(narrow.gateway_url(1)) as ann,
        Peer(narrow.gateway_url(2)) as bob,
        Peer(narrow.gateway_url(2)) as eve,
    ):
        await ann.request("userOnline", 1)
        await eve.request("userOnline", 9)
        await ann.request("createChat", {"user1Id": 1, "user2Id": 2})
        await bob.request("userOnline", 2)
        while (await ann.next("onlineUsers"))["data"] != [1, 2]:
            pass
        while (await bob.next("onlineUsers"))["data"] != [1, 2]:
            pass
        await bob.request("userOffline", 2)
        while (await ann.next("onlineUsers"))["data"] != [1]:
            pass
        assert all(users == [9] for users in eve.all("onlineUsers")[-1:])


async def test_above_the_limit_a_new_chat_shows_who_is_online(narrow: Cluster) -> None:
    """Above BROADCAST_LIMIT connections, two who are online see each other from a new chat on."""
    async with (
        Peer(narrow.gateway_url(1)) as ann,
        Peer(narrow.gateway_url(2)) as bob,
    ):
        await ann.request("userOnline", 3)
        await bob.request("userOnline", 4)
        for peer, own in ((ann, 3), (bob, 4)):
            while (await peer.next("onlineUsers"))["data"] != [own]:
                pass
        await ann.request("createChat", {"user1Id": 3, "user2Id": 4})
        for peer in (ann, bob):
            while (await peer.next("onlineUsers"))["data"] != [3, 4]:
                pass


async def test_old_chats_cost_nothing_and_still_wake() -> None:
    """A chat that was quiet for long wakes the other's gateway, also for typing and seen marks."""
    async with Cluster(env={"WAKE_AFTER": "0.5", "ROOM_IDLE": "1"}) as cluster:
        async with (
            Peer(cluster.gateway_url(1)) as ann,
            Peer(cluster.gateway_url(2)) as bob,
        ):
            await ann.request("userOnline", 1)
            await bob.request("userOnline", 2)
            data = {"senderId": 1, "receiverId": 2, "content": "0"}
            sent = await ann.request("sendMessage", data)
            await bob.next("newMessage")
            broker: Any = redis.asyncio.Redis.from_url(cluster.redis_url)
            for n in range(1, 4):
                # Both gateways stop following it, then it leaves the broker.
                await gone(broker, "*channel:d:*")
                await ann.request("typing", {"chatId": sent["chatId"]})
                while (await bob.next("typing"))["data"] != "1 is typing...":
                    pass  # the end that the message before it brought
                await bob.request("markAsSeen", sent["id"])
                assert (await ann.next("messageSeen"))["data"]["messageId"] == sent["id"]
                data = {"senderId": 1, "receiverId": 2, "content": str(n)}
                sent = await ann.request("sendMessage", data)
                assert sent["seq"] == n + 1
                assert (await bob.next("newMessage"))["data"]["content"] == str(n)
            await broker.aclose()
        query = "SELECT seq, seen_at IS NOT NULL FROM events ORDER BY seq"
        await eventually(
            lambda: rows(cluster.database, query),
            lambda found: found == [(1, 1), (2, 1), (3, 1), (4, 0)],
        )


async def gone(broker: Any, pattern: str) -> None:  # noqa: ANN401 - an untyped client
    """Wait until nobody follows a channel of a direct chat."""
    async with asyncio.timeout(HANGS_AFTER):
        while True:
            try:
                channels = await broker.execute_command("PUBSUB", "SHARDCHANNELS", pattern)
            except RedisError:
                channels = [b"?"]
            if not channels:
                return
            await asyncio.sleep(0.05)
