"""Floods are bounded for a whole cluster, and pages of other origins are kept out."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle

import httpx
import pytest
import pytest_asyncio
from websockets.exceptions import InvalidStatus

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal, Wire
from tests.support.waiting import eventually

SETTINGS = {
    "RATE_LIMITS": "on",
    "RATE_CONNECTIONS": "1/1h:100",
    "RATE_USER_CONNECTIONS": "1/1h:6",
    "RATE_MESSAGES": "1/1h:12",
    "RATE_JOINS": "1/1h:150",
    "RATE_TYPING": "1/1h:2",
    "RATE_REST": "1/1h:20",
    "RATE_GUESSES": "1/1h:3",
    "RATE_ADDRESS_GUESSES": "1/1h:3",
    "RATE_ROOM_GUESSES": "1/1h:8",
    "RATE_REFUSALS": "1/1h:40",
    "MAX_ROOMS": "3",
    "PING_SECONDS": "4",  # three quarters of which a guess waits for a token of its room
}
"""Nothing comes back within an hour: what is granted does not depend on how fast a test is."""


@pytest_asyncio.fixture(scope="module")
async def limited() -> AsyncIterator[Cluster]:
    """Two gateways that limit rates."""
    async with Cluster(env=SETTINGS) as cluster:
        yield cluster


def both(cluster: Cluster) -> list[str]:
    """The gateways themselves."""
    return [cluster.gateway_url(1), cluster.gateway_url(2)]


def coming_from(address: str) -> dict[str, str]:
    """What a proxy that a gateway trusts would say of a client."""
    return {"X-Forwarded-For": address}


async def said(peer: Peer, room: str) -> bool:
    """Whether a message is taken; else it is said when it will be."""
    try:
        await peer.request("message", {"room": room, "content": "hi"})
    except Refusal as refusal:
        if refusal.code == "rate_limited" and refusal.retryable and refusal.retry_after:
            return False
        raise
    return True


async def refused(url: str, headers: dict[str, str]) -> httpx.Headers | None:
    """Connect: the headers of the 429, if that is the answer."""
    try:
        async with Peer(url, headers=headers):
            return None
    except InvalidStatus as error:
        if error.response.status_code == 429:
            return httpx.Headers(dict(error.response.headers))
        raise


async def test_a_second_gateway_doubles_no_messages(limited: Cluster, room: str) -> None:
    """A user who talks through two gateways may say no more than through one."""
    one, two = both(limited)
    async with Peer(one, "username=ann") as ann, Peer(two, "username=ann") as again:
        await ann.request("createRoom", {"name": room})
        for peer in (ann, again):
            await peer.request("joinRoom", {"room": room})
        taken = [await said(peer, room) for _ in range(15) for peer in (ann, again)]
        assert 6 <= sum(taken) <= 12
        async with Peer(two, "username=bob") as bob:
            await bob.request("joinRoom", {"room": room})
            assert await said(bob, room)
            got = [message["content"] for message in await ann.until(sum(taken), "message", room)]
            assert got == ["hi"] * len(got)


async def test_a_second_gateway_doubles_no_connections(limited: Cluster) -> None:
    """An address that connects too often gets 429 from both gateways; others get in."""
    headers, connected = coming_from("198.51.100.7"), 0
    for url in cycle(both(limited)):
        if (told := await refused(url, headers)) is not None:
            assert int(told["Retry-After"]) > 0
            break
        connected += 1
    assert 50 <= connected <= 100
    async with httpx.AsyncClient() as http:
        for url in both(limited):
            opening = f"{url}/socket.io/?EIO=4&transport=polling"
            while (answer := await http.get(opening, headers=headers)).status_code == 200:
                connected += 1
            assert answer.status_code == 429
            assert int(answer.headers["Retry-After"]) > 0
            assert (await http.get(opening)).status_code == 200
    assert connected <= 100


async def test_a_user_connects_too_often(limited: Cluster) -> None:
    """A user who connects too often, wherever, is told so and closed with 4429."""
    async with AsyncExitStack() as stack:
        peers = [
            await stack.enter_async_context(Peer(url, "username=popular"))
            for url in both(limited) * 6
        ]

        async def closed() -> list[Peer]:
            ended = [peer for peer in peers if peer.close_code is not None]
            return ended if len(ended) >= 6 else []

        for peer in await eventually(closed):
            assert peer.close_code == 4429
            (error,) = peer.all("error")
            assert error["code"] == "rate_limited"
            assert error["retryAfterMs"] > 0
        assert await peers[0].request("getRooms") == {}


async def test_a_flood_is_closed(limited: Cluster, wire: Wire) -> None:
    """Who goes on and on after being refused is closed with 4429, and nobody else is."""
    url = limited.gateway_url(1)
    async with Peer(url, f"username=loud-{wire}", wire) as loud, Peer(url, wire=wire) as calm:
        for number in range(200):
            await loud.emit("message", {"room": "nowhere", "content": "hi"}, number)
        assert await loud.closed() == 4429
        codes = [error["code"] for error in loud.all("error")]
        assert set(codes) <= {"not_joined", "rate_limited"}
        assert len(codes) < 100
        assert await calm.request("getRooms") == {}


async def test_a_flood_of_nonsense_is_closed(limited: Cluster) -> None:
    """Frames that are none count as a flood, too."""
    async with Peer(limited.gateway_url(2)) as peer:
        for _ in range(200):
            await peer.raw("nonsense")
        assert await peer.closed() == 4429


async def test_typing_over_the_limit_is_dropped(limited: Cluster, room: str) -> None:
    """Typing too often is answered as ever, and not shown."""
    one, two = both(limited)
    async with Peer(one, "username=typist") as typist, Peer(two, "username=reader") as reader:
        await typist.request("createRoom", {"name": room})
        for peer in (typist, reader):
            await peer.request("joinRoom", {"room": room})
        for _ in range(6):
            assert await typist.request("typing", {"room": room}) == {}
        assert await said(typist, room)
        await reader.next("message", room=room)
        signs = [text for text in reader.all("typing", room) if text]
        assert 1 <= len(signs) <= 2


async def guessed(cluster: Cluster, number: int, name: str, room: str, password: str) -> str:
    """Try a password from an address of its own: how that ends."""
    url, headers = both(cluster)[number % 2], coming_from(f"203.0.113.{number}")
    async with Peer(url, f"username={name}", headers=headers) as peer:
        try:
            await peer.request("joinRoom", {"room": room, "password": password})
        except Refusal as refusal:
            return refusal.code
    return "in"


async def test_passwords_cannot_be_guessed(limited: Cluster, room: str) -> None:
    """Wrong passwords are bounded for a user, an address and a room, over all gateways."""
    async with Peer(limited.gateway_url(1), "username=owner") as owner:
        await owner.request("createRoom", {"name": room, "password": "sesame"})
    # One user from many addresses, then many users from many addresses.
    ends = [await guessed(limited, n, "mallory", room, f"guess {n}") for n in range(5)]
    assert ends == ["forbidden"] * 3 + ["rate_limited"] * 2
    ends = [await guessed(limited, n, f"mallory-{n}", room, f"guess {n}") for n in range(5, 12)]
    assert ends == ["forbidden"] * 5 + ["rate_limited"] * 2


async def test_right_passwords_are_no_guesses(limited: Cluster, room: str) -> None:
    """Whoever knows the password may join as often as joining is allowed."""
    async with Peer(limited.gateway_url(1), "username=member") as member:
        await member.request("createRoom", {"name": room, "password": "sesame"})
        for _ in range(10):
            await member.request("joinRoom", {"room": room, "password": "sesame"})
            await member.request("leaveRoom", room)


async def test_a_resume_costs_by_its_places(limited: Cluster, room: str) -> None:
    """A resume counts as a join for each ten places, also of chats that there are not."""
    unknown = [str(10**12 + number) for number in range(1000)]
    async with Peer(limited.gateway_url(1), "username=returning") as peer:
        await peer.request("createRoom", {"name": room})
        reply = await peer.request("resume", {"chats": dict.fromkeys(unknown, 0)})
        assert reply["chats"] == {key: {"recovered": False, "head": 0} for key in unknown}
        with pytest.raises(Refusal, match="rate_limited") as refusal:
            await peer.request("resume", {"chats": dict.fromkeys(unknown, 0)})
        assert refusal.value.retry_after
        # What is left is enough for less.
        reply = await peer.request("resume", {"chats": dict.fromkeys(unknown[:200], 0)})
        assert len(reply["chats"]) == 200
        await peer.request("joinRoom", {"room": room})


async def test_a_connection_has_so_many_rooms(limited: Cluster) -> None:
    """Joining or resuming more rooms than a connection may be in is refused; leaving helps."""
    names = [f"one of many {n}" for n in range(5)]
    async with Peer(limited.gateway_url(2), "username=everywhere") as peer:
        for name in names:
            await peer.request("createRoom", {"name": name})
        for name in names[:3]:
            await peer.request("joinRoom", {"room": name})
        for event, data in (
            ("joinRoom", {"room": names[3]}),
            ("resume", {"rooms": dict.fromkeys(names[3:], 0)}),
        ):
            with pytest.raises(Refusal, match="too_many"):
                await peer.request(event, data)
        await peer.request("joinRoom", {"room": names[2]})
        await peer.request("leaveRoom", names[0])
        await peer.request("joinRoom", {"room": names[3]})


async def test_rest_over_the_limit(limited: Cluster) -> None:
    """An address that asks too much over REST gets 429, and when to ask again."""
    async with httpx.AsyncClient(headers=coming_from("198.51.100.8")) as http:
        answers = [
            await http.get(f"{url}/chats/user/1") for _ in range(12) for url in both(limited)
        ]
    too_many = [answer for answer in answers if answer.status_code == 429]
    assert 4 <= len(too_many) < 24
    assert too_many[0].json()["statusCode"] == 429
    assert int(too_many[0].headers["Retry-After"]) > 0


FOREIGN = (
    "null",
    "https://evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://localhost@evil.example",
    "file://",
)


@pytest.mark.parametrize("origin", FOREIGN)
async def test_pages_of_other_origins_are_refused(limited: Cluster, origin: str) -> None:
    """A page of another origin gets 403 from every endpoint, and may read nothing."""
    headers = {"Origin": origin, **coming_from("198.51.100.9")}
    asked = {**headers, "Access-Control-Request-Method": "DELETE"}
    url = limited.gateway_url(1)
    polling = f"{url}/socket.io/?EIO=4&transport=polling"
    with pytest.raises(InvalidStatus, match="403"):
        async with Peer(url, headers=headers):
            pass
    async with httpx.AsyncClient(headers=headers) as http:
        for answer in (
            await http.get(polling),
            await http.get(f"{url}/chats/user/1"),
            await http.post(f"{url}/chats", json={"user1Id": 1, "user2Id": 2}),
            await http.options(f"{url}/chats/1", headers=asked),
        ):
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers


async def test_pages_of_this_machine_may_ask(limited: Cluster) -> None:
    """In open mode any page of loopback may connect and ask, and reads what it is answered."""
    headers = {"Origin": "http://localhost:5173", **coming_from("198.51.100.10")}
    url = limited.gateway_url(2)
    async with Peer(url, headers=headers) as peer:
        assert await peer.request("getRooms") == {}
    async with httpx.AsyncClient(headers=headers) as http:
        for path in ("/chats/user/1", "/socket.io/?EIO=4&transport=polling"):
            answer = await http.get(f"{url}{path}")
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == headers["Origin"]
        asked = {"Access-Control-Request-Method": "DELETE"}
        answer = await http.options(f"{url}/chats/1", headers=asked)
        assert "DELETE" in answer.headers["access-control-allow-methods"]


def test_the_load_balancer_starts_without_a_warning(limited: Cluster) -> None:
    """An operator who starts a cluster with limits sees no warning of the load balancer."""
    warnings = [line for line in limited.lines if line.startswith("haproxy ") and "[WARN" in line]
    # On a busy machine gateways may take longer to start than HAProxy, which then says so.
    assert not [line for line in warnings if " : Server " not in line]
