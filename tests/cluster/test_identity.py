"""Who is let in with AUTH_MODE=jwt, through both gateways and every protocol."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal, Wire
from tests.support.schemathesis import schemathesis
from tests.support.socketio import socketio
from tests.support.tokens import JWT, token
from tests.support.waiting import HANGS_AFTER

_numbers = count(1)


@pytest_asyncio.fixture(scope="module")
async def guarded() -> AsyncIterator[Cluster]:
    """Two gateways that want tokens."""
    # All of this comes from one address; what limits do is shown elsewhere.
    async with Cluster(env={**JWT, "RATE_LIMITS": "off"}) as running:
        yield running


@pytest.fixture
def user() -> str:
    """The name of somebody no other test knows."""
    return f"user-{next(_numbers)}"


@pytest_asyncio.fixture
async def http(guarded: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the load balancer."""
    async with httpx.AsyncClient(base_url=guarded.url) as client:
        yield client


def shows(name: str, **more: object) -> dict[str, str]:
    """The header of somebody."""
    return {"Authorization": f"Bearer {token(name, **more)}"}  # type: ignore[arg-type]


async def ticket(http: httpx.AsyncClient, name: str) -> str:
    """A ticket of somebody."""
    given = await http.post("/tickets", headers=shows(name))
    assert given.status_code == 201
    assert given.json()["expiresIn"] == 30
    found: str = given.json()["ticket"]
    return found


async def turned_away(peer: Peer) -> tuple[str, int | None]:
    """The code of the error that a client is told, and the close code."""
    error = (await peer.next("error"))["data"]["code"]
    return error, await peer.closed()


async def test_token_in_the_header(guarded: Cluster, user: str, wire: Wire) -> None:
    """Who shows a token in `Authorization` is whom it names, and can be nobody else."""
    async with Peer(guarded.gateway_url(1), "welcome=1", wire, token(user)) as peer:
        assert (await peer.next("welcome"))["data"]["user"] == user
        await peer.notified(f"{user} connected")
        await peer.request("setUsername", user)
        await peer.request("createRoom", {"name": user})
        await peer.request("joinRoom", {"room": user, "username": user})
        for event, data in (
            ("setUsername", "somebody else"),
            ("joinRoom", {"room": user, "username": "somebody else"}),
            ("userOnline", "somebody else"),
            ("message", {"room": user, "content": "x", "sender": "somebody else"}),
            ("sendMessage", {"senderId": "somebody else", "receiverId": user, "content": "x"}),
        ):
            with pytest.raises(Refusal) as refusal:
                await peer.request(event, data)
            assert refusal.value.code == "forbidden", event
        await peer.request("message", {"room": user, "content": "x"})
        assert (await peer.next("message"))["data"]["sender"] == user


async def test_token_in_the_first_frame(guarded: Cluster, user: str, wire: Wire) -> None:
    """Until `authenticate` nothing else is answered, nothing comes, and nobody is told."""
    async with Peer(guarded.gateway_url(1), token=token("watcher")) as watcher:
        async with Peer(guarded.gateway_url(2)) as nobody:
            await nobody.emit("getRooms")
            await nobody.next("error")
        async with Peer(guarded.gateway_url(2), "welcome=1", wire) as peer:
            for event, data in (("getRooms", None), ("setUsername", user), ("nonsense", {})):
                with pytest.raises(Refusal) as refusal:
                    await peer.request(event, data)
                assert refusal.value.code == "unauthorized", event
            assert peer.frames == []
            begun = time.monotonic()
            reply = await peer.request("authenticate", token(user))
            assert reply["user"] == user
            # A token holds for whole seconds, and for no less than what is left of its hour.
            left = 3600 - (time.monotonic() - begun)
            assert left - 2 < reply["expiresIn"] <= 3600
            assert (await peer.next("welcome"))["data"]["user"] == user
            await peer.request("getRooms")
            await watcher.notified(f"{user} connected")
        assert not [note for note in watcher.all("notification") if "User " in note["content"]]


async def test_integer_subject(guarded: Cluster) -> None:
    """A token that names its user by an integer is for the user of that number."""
    number = 10**9 + next(_numbers)
    async with Peer(guarded.url, token=token(number)) as peer:
        await peer.request("userOnline", number)
        assert number in (await peer.next("onlineUsers"))["data"]


BAD = {
    "expired": token("ann", lasts=-60),
    "without expiry": token("ann", exp=None),
    "without subject": token(None),
    "another key": token("ann", key="another key that is long enough to be one"),
    "another algorithm": token("ann", algorithm="HS512"),
    "no signature": token("ann", key=None, algorithm="none"),
    "no name": token(""),
    "a long name": token("a" * 257),
    "a guest's name": token("guest-1"),
    "not yet": token("ann", nbf=2**40),
    "no token": "x.y.z",
    "long": "x" * 4000,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
async def test_bad_token(guarded: Cluster, http: httpx.AsyncClient, bad: str) -> None:
    """A bad token is `unauthorized` and 4401, CONNECT_ERROR, or 401, wherever it is shown."""
    headers = {"Authorization": f"Bearer {bad}"}
    async with Peer(guarded.gateway_url(1), token=bad) as peer:
        assert await turned_away(peer) == ("unauthorized", 4401)
    async with Peer(guarded.gateway_url(2), wire="msgpack") as peer:
        await peer.emit("authenticate", {"token": bad})
        assert await turned_away(peer) == ("unauthorized", 4401)
    async with socketio(guarded.gateway_url(1)) as client:
        kind, data = await client.connect({"token": bad})
        assert (kind, data["data"]["code"]) == ("44", "unauthorized")
    for method, path in (("POST", "/tickets"), ("GET", "/chats/1")):
        answer = await http.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert bad not in answer.text


async def test_ticket(guarded: Cluster, http: httpx.AsyncClient, user: str) -> None:
    """A ticket lets its user in once, through any gateway and either protocol."""
    for number in (1, 2):
        given = await ticket(http, user)
        async with Peer(guarded.gateway_url(number), f"ticket={given}") as peer:
            await peer.request("setUsername", user)
        async with Peer(guarded.gateway_url(3 - number), f"ticket={given}") as peer:
            assert await turned_away(peer) == ("unauthorized", 4401)
    given = await ticket(http, user)
    async with socketio(guarded.gateway_url(1), f"&ticket={given}") as client:
        assert (await client.connect({}))[0] == "40"
    async with socketio(guarded.gateway_url(2)) as client:
        assert (await client.connect({"ticket": given}))[0] == "44"
        assert (await client.connect({"ticket": await ticket(http, user)}))[0] == "40"


async def test_token_in_an_address(guarded: Cluster, http: httpx.AsyncClient, user: str) -> None:
    """A token in a query lets nobody in, valid or not."""
    given = token(user)
    async with Peer(guarded.url, f"token={given}", token=given) as peer:
        assert await turned_away(peer) == ("unauthorized", 4401)
    async with socketio(guarded.url, f"&token={given}") as client:
        kind, data = await client.connect({"token": given})
        assert (kind, data["data"]["code"]) == ("44", "unauthorized")
    answer = await http.post(f"/tickets?token={given}", headers=shows(user))
    assert answer.status_code == 401


async def test_another_name_in_the_address(guarded: Cluster, user: str) -> None:
    """Who says in the query that they are somebody else is not let in; the own name is fine."""
    async with Peer(guarded.url, "username=somebody", token=token(user)) as peer:
        assert await turned_away(peer) == ("forbidden", 4403)
    async with Peer(guarded.url, "username=somebody") as peer:
        with pytest.raises(Refusal) as refusal:
            await peer.request("authenticate", token(user))
        assert refusal.value.code == "forbidden"
        assert await peer.closed() == 4403
    async with Peer(guarded.url, f"username={user}", token=token(user)) as peer:
        await peer.request("getRooms")
    async with socketio(guarded.url, "&username=somebody") as client:
        kind, data = await client.connect({"token": token(user)})
        assert (kind, data["data"]["code"]) == ("44", "forbidden")


async def test_socketio(guarded: Cluster, user: str) -> None:
    """Over Socket.IO, who shows a token in `auth` or the header is whom it names; else nobody."""
    async with socketio(guarded.gateway_url(1)) as client:
        kind, data = await client.connect({})
        assert (kind, data["data"]["code"]) == ("44", "unauthorized")
        kind, data = await client.connect({"token": token(user), "pid": 5})
        assert (kind, data["data"]["code"]) == ("44", "bad_request")
        assert (await client.connect({"token": token(user), "welcome": 1}))[0] == "40"
        assert (await client.event("welcome"))["user"] == user
        assert (await client.ask("setUsername", user)) == {}
        assert (await client.ask("setUsername", "else"))["error"]["code"] == "forbidden"
    async with socketio(guarded.gateway_url(2), **shows(user)) as client:
        assert (await client.connect({}))[0] == "40"
        # That the first one has gone may be told before.
        while (await client.event("notification"))["content"] != f"{user} connected":
            pass


async def test_recovery_is_for_the_same_user(guarded: Cluster, user: str) -> None:
    """A session is recovered for the user whose it was; for another with its secret it is not."""

    async def come(name: str, number: int, **more: object) -> tuple[str, str]:
        async with socketio(guarded.gateway_url(number)) as client:
            _, data = await client.connect({"token": token(name), **more})
            return data["sid"], data["pid"]

    sid, pid = await come(user, 1)
    assert await come(user, 2, pid=pid) == (sid, pid)
    other_sid, other_pid = await come("somebody else", 1, pid=pid)
    assert other_sid != sid
    assert other_pid != pid


async def test_deadlines(guarded: Cluster, user: str) -> None:
    """Who does not say who they are in 5 s is let go, and who does not say so again in time."""
    one, other = guarded.gateway_url(1), guarded.gateway_url(2)
    async with (
        Peer(one) as silent,
        Peer(other) as chatty,
        Peer(one, token=token(user)) as ends,
        Peer(other, token=token(user)) as renewed,
        socketio(other) as client,
        socketio(one) as mute,
    ):
        assert (await client.connect({"token": token(user)}))[0] == "40"
        await chatty.emit("getRooms")
        assert (await chatty.next("error"))["data"]["code"] == "unauthorized"
        short, long = token(user, lasts=5), token(user)
        await renewed.emit("authenticate", short)
        assert (await renewed.request("authenticate", long))["user"] == user
        await ends.emit("authenticate", short)
        await client.emit("authenticate", short)

        for peer in (silent, chatty):
            assert await turned_away(peer) == ("unauthorized", 4408)
        assert await turned_away(ends) == ("unauthorized", 4401)
        assert (await client.event("exception"))["code"] == "unauthorized"
        for ended in (client, mute):
            with pytest.raises(ConnectionClosed):
                async with asyncio.timeout(HANGS_AFTER):
                    await ended.next("41")
        with pytest.raises(Refusal) as refusal:
            await renewed.request("authenticate", token("somebody else"))
        assert refusal.value.code == "forbidden"
        assert (await renewed.request("authenticate", long))["user"] == user


async def test_rest(http: httpx.AsyncClient, user: str) -> None:
    """REST is for whoever `Authorization` names: chats of others look as if there were none."""
    other = f"other of {user}"
    mine, others = shows(user), shows("a stranger")
    pair = {"user1Id": user, "user2Id": other}
    assert (await http.post("/chats", json=pair)).status_code == 401
    assert (await http.post("/chats", json=pair, headers=others)).status_code == 403
    chat = (await http.post("/chats", json=pair, headers=mine)).json()
    path, nothing = f"/chats/{chat['id']}", "/chats/9007199254740991"
    for method in ("GET", "DELETE"):
        assert (await http.request(method, path)).status_code == 401
        hidden = await http.request(method, path, headers=others)
        absent = await http.request(method, nothing, headers=others)
        assert hidden.status_code == absent.status_code == 404
        assert hidden.text == absent.text.replace(nothing[7:], str(chat["id"]))
    assert (await http.get(path, headers=shows(other))).json() == chat
    assert (await http.get(f"/chats/user/{user}")).status_code == 401
    assert (await http.get(f"/chats/user/{user}", headers=others)).status_code == 403
    [listed] = (await http.get(f"/chats/user/{user}", headers=mine)).json()
    assert listed["id"] == chat["id"]
    assert (await http.delete(path, headers=mine)).status_code == 200
    for open_to_all in ("/", "/health/live", "/openapi.json"):
        assert (await http.get(open_to_all)).status_code == 200


async def test_open(cluster: Cluster) -> None:
    """With AUTH_MODE=open there is nothing to show; a token in a query is refused all the same."""
    async with Peer(cluster.url, "username=ann&ticket=x", token="no token") as peer:
        await peer.request("setUsername", "ann")
        with pytest.raises(Refusal) as refusal:
            await peer.request("authenticate", token("ann"))
        assert refusal.value.code == "bad_request"
    async with Peer(cluster.url, f"token={token('ann')}") as peer:
        assert await turned_away(peer) == ("unauthorized", 4401)
    async with httpx.AsyncClient(base_url=cluster.url) as http:
        assert (await http.post("/tickets")).status_code == 404
        assert (await http.get("/chats/user/ann?token=x")).status_code == 401


async def test_schemathesis_finds_nothing(guarded: Cluster, tmp_path: Path) -> None:
    """Whatever requests the OpenAPI document allows or forbids, the answers are as it says."""
    header = ("--header", f"Authorization: Bearer {token(1)}")
    said = await schemathesis(guarded, tmp_path, *header, "--max-examples", "10")
    assert "No issues found" in said
