"""Every event and every request of REST, by whoever may come: what each is answered."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.api.actions import EVENTS
from gateway.api.actions import REQUESTS as ACTIONS_OF_REST
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.tokens import JWT, token

# Beside what their names say: `away` is the owner on a connection that is not in the room, `other`
# has a chat with the stranger. They ask in this order: the first change nothing for the others.
PERSONAS = ("stranger", "other", "kicked", "banned", "member", "moderator", "away", "owner")
NOBODY = "9007199254740991"
_numbers = count(1)

Outcomes = dict[str, str]
Arena = tuple[Cluster, dict[str, Peer], dict[str, str]]


def allowed(*users: str, else_: str, **more: str) -> Outcomes:
    """`ok` for some, one answer for all others but those named."""
    return {user: more.get(user, "ok" if user in users else else_) for user in PERSONAS}


ALL = allowed(*PERSONAS, else_="")
BANNED = {"banned": "forbidden"}
"""From an open room, which everybody may know of."""
INSIDE = allowed("owner", "moderator", "member", else_="not_joined", **BANNED)
KNOWS_MESSAGE = {"member": "forbidden", "moderator": "ok", "owner": "ok", **BANNED}
MODERATES = {**INSIDE, "member": "forbidden"}
OWNS = {**MODERATES, "moderator": "forbidden"}
IN_CHAT = allowed("owner", "away", "member", else_="not_found")
AS_MEMBER = allowed("member", else_="forbidden")
PAIR = allowed("owner", "away", "member", else_="forbidden")
BY_NAME = {"away": "ok"}
"""With proven names the owner may act from outside."""


@dataclass
class Scene:
    """A room, and a chat of its owner and its member.

    Attributes:
        peers: by persona.
        names: of the personas, unique to a mode.
        ids: of messages: `owner` and `member` in the room, `chat` by the owner in the chat.
        grants: what each persona was given when it joined.
    """

    peers: dict[str, Peer]
    names: dict[str, str]
    room: str
    chat: int
    verified: bool
    ids: dict[str, int] = field(default_factory=dict)
    grants: dict[str, str] = field(default_factory=dict)
    head: int = 0


@dataclass
class Case:
    """Something asked, and what each persona is answered; `jwt` where that differs there."""

    data: Callable[[Scene, str], object]
    open: Outcomes
    jwt: Outcomes = field(default_factory=dict)


def at_room(**more: object) -> Callable[[Scene, str], object]:
    return lambda scene, _: {"room": scene.room, **more}


def at_chat(**more: object) -> Callable[[Scene, str], object]:
    return lambda scene, _: {"chatId": scene.chat, **more}


def about(user: str, **more: object) -> Callable[[Scene, str], object]:
    return lambda scene, _: {"room": scene.room, "user": scene.names[user], **more}


def by_id(message: str) -> Callable[[Scene, str], object]:
    return lambda scene, _: scene.ids[message]


def named(user: str, field_name: str) -> Callable[[Scene, str], object]:
    return lambda scene, _: {field_name: scene.names[user]}


def pair(scene: Scene, _: str) -> dict[str, str]:
    return {"user1Id": scene.names["owner"], "user2Id": scene.names["member"]}


CASES: dict[str, list[Case]] = {
    "authenticate": [
        Case(
            lambda scene, who: {"token": token(scene.names[who])},
            dict.fromkeys(PERSONAS, "bad_request"),
            ALL,
        ),
    ],
    "setUsername": [Case(named("member", "username"), AS_MEMBER)],
    "createRoom": [Case(lambda scene, who: {"name": f"{scene.room} of {who}"}, ALL)],
    "getRooms": [Case(lambda _scene, _who: {}, ALL)],
    "joinRoom": [
        Case(at_room(), allowed("owner", "moderator", "member", else_="forbidden")),
        Case(
            lambda scene, who: {"room": scene.room, "grant": scene.grants.get(who, "none")},
            allowed("owner", "moderator", "member", "away", else_="forbidden"),
        ),
        Case(at_room(password="key"), {**ALL, "banned": "forbidden"}),
    ],
    "resume": [
        Case(
            lambda scene, who: {
                "rooms": {scene.room: scene.head},
                "grants": {scene.room: scene.grants.get(who, "none")},
            },
            allowed("owner", "moderator", "member", "away", else_="nowhere"),
        ),
        Case(
            lambda scene, _: {"chats": {str(scene.chat): 0}},
            allowed("owner", "away", "member", else_="nowhere"),
        ),
    ],
    "message": [Case(at_room(content="hi"), INSIDE)],
    "typing": [Case(at_room(), INSIDE), Case(at_chat(), IN_CHAT)],
    "history": [Case(at_room(), INSIDE), Case(at_chat(), IN_CHAT)],
    "seen": [Case(at_room(seq=1), INSIDE), Case(at_chat(seq=1), IN_CHAT)],
    "deleteMessage": [
        Case(by_id("owner"), allowed(else_="not_found", **KNOWS_MESSAGE)),
        Case(by_id("member"), allowed("member", "moderator", "owner", else_="not_found", **BANNED)),
        Case(by_id("chat"), {**IN_CHAT, "member": "forbidden"}),
    ],
    "deleteMessages": [Case(at_room(), INSIDE, {**MODERATES, **BY_NAME})],
    "kick": [
        Case(about("stranger"), MODERATES, BY_NAME),
        Case(about("owner"), {**OWNS, "owner": "forbidden"}, {"away": "forbidden"}),
        Case(about("moderator"), OWNS, BY_NAME),
    ],
    "ban": [
        Case(about("stranger"), MODERATES, BY_NAME),
        Case(about("moderator"), {**OWNS, "stranger": "forbidden"}, BY_NAME),  # banned by now
    ],
    "getStandings": [Case(at_room(), MODERATES, BY_NAME)],
    "getModerationLog": [Case(at_room(), MODERATES, BY_NAME)],
    "unban": [Case(about("banned"), OWNS, BY_NAME)],
    "setModerator": [Case(about("member", moderator=True), OWNS, BY_NAME)],
    "setPassword": [Case(at_room(password="other"), OWNS, BY_NAME)],
    "getChats": [Case(named("member", "userId"), AS_MEMBER)],
    "createChat": [Case(pair, PAIR)],
    "sendMessage": [
        Case(
            lambda scene, _: {
                "senderId": scene.names["member"],
                "receiverId": scene.names["owner"],
                "content": "hi",
            },
            AS_MEMBER,
        ),
    ],
    "getMessages": [Case(at_chat(), IN_CHAT)],
    "markAsSeen": [
        Case(by_id("chat"), {**IN_CHAT, "owner": "forbidden", "away": "forbidden"}),
        Case(by_id("owner"), {**dict.fromkeys(PERSONAS, "not_found"), **BANNED}),
    ],
    "userOnline": [Case(named("member", "userId"), AS_MEMBER)],
    "userOffline": [Case(named("member", "userId"), AS_MEMBER)],
    "leaveRoom": [Case(at_room(), ALL)],
}


@pytest_asyncio.fixture(scope="module", params=["open", "jwt"])
async def arena(request: pytest.FixtureRequest, cluster: Cluster) -> AsyncIterator[Arena]:
    """A cluster of each mode, and a connection of every persona, on both gateways."""
    async with AsyncExitStack() as stack:
        running = cluster
        if request.param == "jwt":
            running = await stack.enter_async_context(Cluster(env=JWT))
        peers, names = {}, {}
        for number, persona in enumerate(PERSONAS):
            names[persona] = "matrix-owner" if persona == "away" else f"matrix-{persona}"
            url = running.gateway_url(1 + number % 2)
            shown = token(names[persona]) if request.param == "jwt" else ""
            peer = Peer(url, f"username={names[persona]}", token=shown)
            peers[persona] = await stack.enter_async_context(peer)
        theirs = {"user1Id": names["other"], "user2Id": names["stranger"]}
        await peers["other"].request("createChat", theirs)
        yield running, peers, names


async def set_up(arena: Arena, *, password: str = "") -> Scene:
    """A room and a chat in which everybody is what they are called."""
    running, peers, names = arena
    owner, room = peers["owner"], {"room": f"matrix {next(_numbers)}"}
    users = {"user1Id": names["owner"], "user2Id": names["member"]}
    chat = (await owner.request("createChat", users))["id"]
    verified = running.environ.get("AUTH_MODE") == "jwt"
    made = Scene(peers, names, room["room"], chat, verified)
    await owner.request("createRoom", {"name": made.room, "password": password})
    for persona in ("owner", "away", "moderator", "member", "kicked", "banned"):
        reply = await peers[persona].request("joinRoom", {**room, "password": password})
        made.grants[persona] = reply.get("grant", "none")
    for persona in ("owner", "member"):
        said = await peers[persona].request("message", {**room, "content": persona})
        made.ids[persona] = said["id"]
    message = {"senderId": names["owner"], "receiverId": names["member"], "content": "chat"}
    made.ids["chat"] = (await owner.request("sendMessage", message))["id"]
    await peers["away"].request("leaveRoom", room)
    await owner.request("kick", {**room, "user": names["kicked"]})
    await owner.request("ban", {**room, "user": names["banned"]})
    await owner.request("setModerator", {**room, "user": names["moderator"], "moderator": True})
    # Everybody has heard all of it before anything is asked.
    for persona in ("owner", "moderator", "member"):
        changed = await peers[persona].next("moderatorChanged", room=made.room)
        made.head = changed["data"]["seq"]
    await peers["kicked"].next("kicked", room=made.room)
    await peers["banned"].next("banned", room=made.room)
    return made


async def outcome(peer: Peer, event: str, data: object) -> str:
    """What becomes of it: `ok`, a code, or `nowhere` for what cannot be gone on with."""
    try:
        reply = await peer.request(event, data)
    except Refusal as refusal:
        return refusal.code
    if event == "resume":
        places: list[dict[str, Any]] = [*reply["rooms"].values(), *reply["chats"].values()]
        place = places[0]
        assert place["recovered"] or place["head"] == 0
        return "ok" if place["recovered"] else "nowhere"
    return "ok"


def test_the_matrix_is_whole() -> None:
    """Each event and each request stands in the matrix, so a new one without a row fails."""
    assert set(CASES) == set(EVENTS)
    assert set(REQUESTS) == set(ACTIONS_OF_REST)


@pytest.mark.parametrize("event", CASES)
async def test_events(arena: Arena, event: str) -> None:
    """Each persona is answered as it should be, and outsiders learn nothing."""
    scene = await set_up(arena, password="key" if event in {"joinRoom", "resume"} else "")
    for case in CASES[event]:
        wanted = {**case.open, **(case.jwt if scene.verified else {})}
        got = {
            persona: await outcome(scene.peers[persona], event, case.data(scene, persona))
            for persona in PERSONAS
        }
        assert got == wanted


Ask = Callable[[httpx.AsyncClient, Scene], Awaitable[httpx.Response]]


async def _delete(http: httpx.AsyncClient, scene: Scene) -> httpx.Response:
    # It is there again for whoever asks next.
    chat: dict[str, Any] = await scene.peers["owner"].request("createChat", pair(scene, ""))
    return await http.delete(f"/chats/{chat['id']}")


REQUESTS: dict[str, tuple[Ask, dict[str, int], int]] = {
    "GET /chats/{chat}": (
        lambda http, scene: http.get(f"/chats/{scene.chat}"),
        {persona: 200 if answer == "ok" else 404 for persona, answer in IN_CHAT.items()},
        200,
    ),
    "GET /chats/user/{user}": (
        lambda http, scene: http.get(f"/chats/user/{scene.names['member']}"),
        {persona: 200 if answer == "ok" else 403 for persona, answer in AS_MEMBER.items()},
        200,
    ),
    "POST /chats": (
        lambda http, scene: http.post("/chats", json=pair(scene, "")),
        {persona: 201 if answer == "ok" else 403 for persona, answer in PAIR.items()},
        201,
    ),
    "DELETE /chats/{chat}": (
        _delete,
        {persona: 200 if answer == "ok" else 404 for persona, answer in IN_CHAT.items()},
        200,
    ),
    "POST /tickets": (
        lambda http, _: http.post("/tickets"),
        dict.fromkeys(PERSONAS, 201),
        404,
    ),
}
"""What is asked, how it is answered by proven names, and where nobody has one."""


@pytest.mark.parametrize("request_", REQUESTS)
async def test_requests(arena: Arena, request_: str) -> None:
    """REST answers each persona as it should; without proven names it asks nobody who they are."""
    scene = await set_up(arena)
    ask, wanted, without_names = REQUESTS[request_]
    async with httpx.AsyncClient(base_url=arena[0].url) as http:
        if not scene.verified:
            assert (await ask(http, scene)).status_code == without_names
            return
        assert (await http.get(f"/chats/{NOBODY}")).status_code == 401
        got = {}
        for persona in PERSONAS:
            http.headers["Authorization"] = f"Bearer {token(scene.names[persona])}"
            got[persona] = (await ask(http, scene)).status_code
        assert got == wanted
        hidden = await http.get(f"/chats/{NOBODY}")
        assert (hidden.status_code, hidden.json()["error"]) == (404, "Not Found")
