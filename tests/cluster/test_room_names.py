"""Names of rooms: one room for all spellings of a name, and real names of every script."""

import asyncio
from itertools import count
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal, Wire
from tests.support.socketio_peer import SocketIOPeer

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
SPELLINGS = {
    "capitals": ("Lobby", "LOBBY"),
    "blanks": ("Two words", "\u00a0two\u3000 words "),
    "accents": ("Caf\u00e9", "cafe\u0301"),
    "a family": (f"{FAMILY} Smith", f" {FAMILY} smith"),
    "Persian": (
        "\u06af\u0641\u062a\u200c\u0648\u06af\u0648",
        "\u06af\u0641\u062a\u200c\u0648\u200c\u06af\u0648",
    ),
    "Sinhala": ("\u0dc1\u0dca\u200d\u0dbb\u0dd3", " \u0dc1\u0dca\u200d\u0dbb\u0dd3"),
    "Korean": ("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    "a heart": ("I \u2764\ufe0f you", "i \u2764 YOU"),
    "a letter of Unicode 16": ("\U00010d50", "\U00010d70"),
}
INVISIBLE = {
    "a blank of Braille": "\u2800",
    "a Hangul filler": "\u3164",
    "joiners": "\u200d\u200c",
    "a zero width space": "a\u200bb",
    "a mark of direction": "ann\u200e",
    "a line end": "a\nb",
    "too long": "x" * 129,
}
_numbers = count(1)


@pytest.mark.parametrize(("made", "typed"), SPELLINGS.values(), ids=SPELLINGS)
async def test_one_room_by_any_spelling(
    cluster: Cluster, wire: Wire, made: str, typed: str
) -> None:
    """A room is joined and written to by any spelling, and is called as its creator called it."""
    number = next(_numbers)
    made, typed = f"{made} {number}", f"{typed} {number}"
    async with (
        Peer(cluster.gateway_url(1), "username=ann", wire) as ann,
        Peer(cluster.gateway_url(2), "username=bob", wire) as bob,
        SocketIOPeer(cluster.gateway_url(2), auth={"username": "cleo"}) as cleo,
    ):
        assert (await ann.request("createRoom", {"name": f" {made} "}))["name"] == made
        for peer in (ann, bob, cleo):
            with pytest.raises(Refusal) as refused:
                await peer.request("createRoom", {"name": typed})
            assert refused.value.code == "room_exists"
            assert (await peer.request("joinRoom", {"room": typed}))["room"] == made
        await bob.request("message", {"room": typed, "content": "hello"})
        for peer in (ann, bob, cleo):
            assert (await peer.next("message"))["data"]["room"] == made
        page = await cleo.request("history", {"room": typed})
        assert [item["content"] for item in page["items"]] == ["hello"]
        listed = await _rooms(ann)
        assert made in listed
        assert typed not in listed
        await bob.request("leaveRoom", {"room": typed})
        with pytest.raises(Refusal):
            await bob.request("message", {"room": made, "content": "gone"})
        back = await bob.request("resume", {"rooms": {typed: 0}})
        assert back["rooms"][typed]["recovered"]


@pytest.mark.parametrize("name", INVISIBLE.values(), ids=INVISIBLE)
async def test_a_name_that_cannot_be_seen_is_refused(
    cluster: Cluster, wire: Wire, name: str
) -> None:
    """No room is made of a name that cannot be seen; the sentence says what is wrong with it."""
    async with Peer(cluster.url, "username=ann", wire) as ann:
        for event, data in (("createRoom", {"name": name}), ("joinRoom", {"room": name})):
            with pytest.raises(Refusal, match="a name") as refused:
                await ann.request(event, data)
            assert refused.value.code == "bad_request"


async def test_spellings_that_race_make_one_room(cluster: Cluster) -> None:
    """Of many spellings that are created at once through two gateways, one becomes the room."""
    number = next(_numbers)
    names = [f"{name} {number}" for name in ("Race", "race", "RACE", "rACE", "\uff32ace")]
    async with Peer(cluster.gateway_url(1)) as one, Peer(cluster.gateway_url(2)) as two:
        asked = [
            peer.request("createRoom", {"name": name}) for name in names for peer in (one, two)
        ]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        made = [answer["name"] for answer in answers if isinstance(answer, dict)]
        assert len(made) == 1
        assert [name for name in await _rooms(one) if name.lower() == f"race {number}"] == made


async def test_rooms_are_listed_by_what_they_compare_as(cluster: Cluster) -> None:
    """The list goes on after a name, whatever its capitals; nothing comes twice or is left out."""
    number = next(_numbers)
    names = [f"list {number} {letter}" for letter in ("a", "B", "c", "D", "e")]
    async with Peer(cluster.url) as peer:
        for name in reversed(names):
            await peer.request("createRoom", {"name": name})
        found, after = [], f"list {number}"
        while page := await _rooms(peer, {"after": after, "limit": 2}):
            found += page
            after = page[-1]
            if len(found) >= len(names):
                break
        assert found[: len(names)] == names


async def test_a_password_is_one_however_it_is_typed(cluster: Cluster, wire: Wire) -> None:
    """A room's password opens it with accents in one character or two, through both gateways."""
    number = next(_numbers)
    room = f"locked {number}"
    async with (
        Peer(cluster.gateway_url(1), "username=ann", wire) as ann,
        Peer(cluster.gateway_url(2), "username=bob", wire) as bob,
    ):
        await ann.request("createRoom", {"name": room, "password": "cafe\u0301\u00a01"})
        joined = await bob.request("joinRoom", {"room": room.upper(), "password": "caf\u00e9 1"})
        assert joined["room"] == room
        with pytest.raises(Refusal, match=r"U\+200B") as refused:
            await ann.request("createRoom", {"name": f"{room} too", "password": "a\u200bb"})
        assert refused.value.code == "bad_request"


async def test_recovery_by_another_spelling(cluster: Cluster) -> None:
    """A Socket.IO client that named room and user in other spellings is recovered into both."""
    number = next(_numbers)
    room = f"Back {number}"
    async with Peer(cluster.gateway_url(1), f"username=ann{number}") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        auth = {"username": f"Carl {number}"}
        async with SocketIOPeer(cluster.gateway_url(1), auth=auth) as carl:
            await carl.request("joinRoom", {"room": room.upper()})
            await ann.request("message", {"room": room, "content": "before"})
            await carl.next("message")
            carl.lose()
            shown = {"username": f"CARL {number}", "pid": carl.pid, "offset": carl.offset}
        await ann.request("message", {"room": room, "content": "meanwhile"})
        async with SocketIOPeer(cluster.gateway_url(2), auth=shown) as back:
            assert back.recovered
            assert (await back.next("message"))["data"]["content"] == "meanwhile"
            await back.request("message", {"room": room.lower(), "content": "back"})
            assert (await back.next("message"))["data"]["sender"] == f"Carl {number}"


async def _rooms(peer: Peer, data: dict[str, Any] | None = None) -> list[str]:
    await peer.request("getRooms", data or {})
    return [room["name"] for room in peer.all("rooms")[-1]]
