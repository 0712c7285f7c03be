"""Nobody gets in as somebody else: pages of others, forged tokens, names that are not one's own."""

import base64
import hashlib
import hmac
import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.security.doors import (
    PUBLIC,
    Door,
    Way,
    enter,
    make,
    new_address,
    pass_for,
    refused,
)
from tests.support.cluster import Cluster
from tests.support.peer import WIRES, Peer, Refusal

STRANGER = rsa.generate_private_key(65_537, 2048)


def signed_by_hand(key: bytes, **header: str) -> str:
    """A token by HS256 with a key that no library signs with."""
    claims = {"sub": "ann", "aud": "parley", "exp": 2**40}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT", **header}, claims)
    ]
    mac = hmac.new(key, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


def swapped() -> str:
    """Claims of one token under the signature of another."""
    head, _, signature = pass_for("bob").split(".")
    return ".".join([head, pass_for("ann").split(".")[1], signature])


FORGED = {
    "algorithm none": pass_for("ann", key=None, algorithm="none"),
    "the public key as a shared one": signed_by_hand(PUBLIC),
    "the public key without its last line end": signed_by_hand(PUBLIC.strip()),
    "kid is a path": signed_by_hand(b"", kid="../../../../dev/null"),
    "kid is SQL": signed_by_hand(b"key", kid="x' UNION SELECT 'key"),
    "kid is an address": pass_for("ann", key=STRANGER, headers={"kid": "http://127.0.0.1:1/"}),
    "a key set of its own": pass_for("ann", key=STRANGER, headers={"jku": "http://127.0.0.1:1/"}),
    "another key": pass_for("ann", key=STRANGER),
    "a swapped signature": swapped(),
    "no exp": pass_for("ann", exp=None),
    "expired": pass_for("ann", lasts=-60),
    "another audience": pass_for("ann", aud="another"),
    "no audience": pass_for("ann", aud=None),
    "no subject": pass_for(None),
    "not yet": pass_for("ann", nbf=2**40),
    "no token": "a.b.c",
    "line ends": "a\u2028b",
}


async def turned_away(door: Door, url: str, query: str, shown: str) -> tuple[str, int]:
    """Come in by a door that stays shut: the code of the error, and that of the close."""
    try:
        async with enter(door, url, query, shown) as peer:
            error = await peer.next("error")
            code = await peer.closed()
    except Refusal as refusal:  # Socket.IO says so in CONNECT_ERROR
        return refusal.code, 4401
    assert code is not None
    return error["data"]["code"], code


@pytest.mark.parametrize("gateway", [1, 2])
async def test_forged_tokens(guarded: Cluster, door: Door, gateway: int) -> None:
    """A forged token lets nobody in: `unauthorized`, and 4401 or CONNECT_ERROR."""
    url = guarded.gateway_url(gateway)
    for name, forged in FORGED.items():
        if not (forged.isascii() or door in {"socket.io", "polling"}):
            continue  # it cannot stand in a header
        assert await turned_away(door, url, "", forged) == ("unauthorized", 4401), name
    async with enter(door, url, "", pass_for("ann")) as peer:
        assert await peer.request("getRooms") == {}


@pytest.mark.parametrize("gateway", [1, 2])
async def test_forged_tokens_in_a_frame(guarded: Cluster, gateway: int) -> None:
    """A forged token in the first frame of a WebSocket is no better."""
    for wire in WIRES:
        for name, forged in FORGED.items():
            url = guarded.gateway_url(gateway)
            async with Peer(url, wire=wire, headers=new_address()) as peer:
                assert await refused(peer, "authenticate", {"token": forged}) == "unauthorized"
                assert await peer.closed() == 4401, name


@pytest.mark.parametrize("gateway", [1, 2])
async def test_forged_tokens_over_rest(guarded: Cluster, gateway: int) -> None:
    """A forged token is 401 for every request, and is not said again."""
    paths = (("GET", "/chats/1"), ("GET", "/chats/user/ann"), ("DELETE", "/chats/1"))
    async with httpx.AsyncClient(base_url=guarded.gateway_url(gateway)) as http:
        for method, path in (*paths, ("POST", "/chats"), ("POST", "/tickets")):
            for name, forged in FORGED.items():
                shown = [
                    (b"Authorization", b"Bearer " + forged.encode()),
                    *((key.encode(), value.encode()) for key, value in new_address().items()),
                ]
                answer = await http.request(method, path, headers=shown)
                assert answer.status_code == 401, name
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert forged not in answer.text


@pytest.mark.parametrize("gateway", [1, 2])
async def test_token_in_a_query(guarded: Cluster, door: Door, gateway: int) -> None:
    """Even a good token is refused where it stands in an address."""
    good = pass_for("ann")
    url = guarded.gateway_url(gateway)
    assert await turned_away(door, url, f"token={good}", good) == ("unauthorized", 4401)
    async with httpx.AsyncClient(base_url=url, headers=new_address()) as http:
        shown = {"Authorization": f"Bearer {good}"}
        for path in ("/chats/user/ann", "/chats/1"):
            assert (await http.get(path, params={"token": good})).status_code == 401
        answer = await http.post("/tickets", params={"token": good}, headers=shown)
        assert answer.status_code == 401


def foreign(host: str) -> dict[str, str]:
    """Origins of pages that are not the gateway's own, though some look like it."""
    return {
        "another": "https://evil.example",
        "null": "null",
        "its prefix": f"http://{host}.evil.example",
        "its suffix": f"http://evil-{host}",
        "another port": "http://127.0.0.1:1",
        "its name as a user": f"http://{host}@evil.example",
        "itself, with a user": f"http://evil.example@{host}",
        "itself, with a path": f"http://{host}/evil.example",
        "itself, with a question": f"http://{host}?evil.example",
        "itself, with a fragment": f"http://{host}#evil.example",
        "itself, in capitals": f"HTTP://{host}",
        "another scheme": f"ftp://{host}",
        "loopback": "http://localhost:5173",
        "nothing": "",
        "two": f"http://{host}, https://evil.example",
        "a star": "*",
    }


@pytest.mark.parametrize("gateway", [0, 1, 2])
async def test_pages_of_others(guarded: Cluster, gateway: int) -> None:
    """A page of another origin gets 403 from every endpoint, even with a good token."""
    host = f"127.0.0.1:{guarded.gateway_port(gateway)}"
    shown = {"Authorization": f"Bearer {pass_for('ann')}"}
    socketio = "/socket.io/?EIO=4&transport="
    for name, origin in foreign(host).items():
        headers = {**shown, **new_address(), "Origin": origin}
        for wire in WIRES:
            with pytest.raises(InvalidStatus, match="403"):
                async with Peer(f"http://{host}", wire=wire, headers=headers):
                    pass
        async with httpx.AsyncClient(base_url=f"http://{host}", headers=headers) as http:
            for method, path in (
                ("GET", f"{socketio}polling"),
                ("POST", f"{socketio}polling&sid=gateway-1.x"),
                ("OPTIONS", f"{socketio}polling"),
                ("GET", f"{socketio}websocket"),
                ("GET", "/chats/user/ann"),
                ("POST", "/chats"),
                ("OPTIONS", "/chats"),
                ("DELETE", "/chats/1"),
                ("POST", "/tickets"),
            ):
                answer = await http.request(method, path)
                assert answer.status_code == 403, (name, method, path)
                assert "access-control-allow-origin" not in answer.headers


METHOD = "Access-Control-Request-Method"
APPLICATIONS = "capacitor://localhost,tauri://localhost,https://*.example.org"


async def test_pages_that_are_allowed() -> None:
    """Pages of applications and of hosts below a domain use every endpoint, and no other page."""
    async with Cluster(gateways=1, env={"ALLOWED_ORIGINS": f"self,{APPLICATIONS}"}) as cluster:
        for origin, status in {
            "capacitor://localhost": 200,
            "tauri://localhost": 200,
            "https://a.b.example.org": 200,
            "https://example.org": 403,
            "https://evilexample.org": 403,
            "ionic://localhost": 403,
            "null": 403,
        }.items():
            headers = {"Origin": origin}
            shown = origin if status == 200 else None
            async with httpx.AsyncClient(base_url=cluster.url, headers=headers) as http:
                asks = {**headers, METHOD: "POST"}
                answers = [
                    await http.get("/socket.io/?EIO=4&transport=polling"),
                    await http.get("/chats/user/ann"),
                    await http.options("/chats", headers=asks),
                    await http.head("/chats/user/ann"),
                    await http.options("/chats/1", headers=asks | {METHOD: "HEAD"}),
                ]
            for answer in answers:
                assert answer.status_code == status, (origin, answer.url)
                assert answer.headers.get("access-control-allow-origin") == shown
            for path in ("/ws?username=ann", "/socket.io/?EIO=4&transport=websocket"):
                try:
                    async with connect(f"{cluster.ws_url}{path}", additional_headers=headers):
                        entered = 200
                except InvalidStatus as refused_by:
                    entered = refused_by.response.status_code
                assert entered == status, (origin, path)


@pytest.mark.parametrize("gateway", [0, 1, 2])
async def test_pages_of_its_own(guarded: Cluster, gateway: int) -> None:
    """The gateway's own page, and programs, which have no origin, are let in by their token."""
    url = f"http://127.0.0.1:{guarded.gateway_port(gateway)}"
    for origin in ({}, {"Origin": url}):
        headers = {**new_address(), **origin}
        async with Peer(url, token=pass_for("ann"), headers=headers) as peer:
            assert await peer.request("getRooms") == {}
        async with Peer(url, headers=headers) as peer:
            assert await refused(peer, "getRooms") == "unauthorized"


async def test_speaking_as_another(way: Way) -> None:
    """Whoever speaks as another is refused, and nobody hears of it."""
    room, bob = way.name, way.user("bob")
    async with way.victim("bob") as victim, way.enter("eve") as eve:
        await make(victim, room)
        await eve.request("joinRoom", {"room": room})
        said = {"room": room, "content": "I owe eve"}
        for event, data in (
            ("message", {**said, "sender": bob}),
            ("sendMessage", {"senderId": bob, "receiverId": way.user("eve"), "content": "hi"}),
            ("joinRoom", {"room": room, "username": bob}),
            ("typing", {"room": room, "username": bob}),
            ("setUsername", bob),
            ("userOnline", {"userId": bob}),
            ("userOffline", bob),
            ("getChats", bob),
            ("createChat", {"user1Id": bob, "user2Id": "cat"}),
        ):
            assert await refused(eve, event, data) == "forbidden", event
        # What a client says of seq, time and id counts for nothing.
        forged = {"seq": 77, "prev": 76, "id": 7, "createdAt": "2001-01-01T00:00:00Z"}
        reply = await eve.request("message", {**said, **forged})
        assert reply["seq"] == 1
        [received] = await victim.until(1, "message", room)
        assert (received["sender"], received["seq"], received["id"]) == (
            way.user("eve"),
            1,
            reply["id"],
        )
        assert not received["createdAt"].startswith("2001")
        [kept] = (await victim.request("history", {"room": room}))["items"]
        assert kept["sender"] == way.user("eve")
