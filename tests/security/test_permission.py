"""Nobody gets through: rooms and chats of others, for strangers and for those who were put out."""

from typing import Any

import httpx

from tests.security.doors import Way, enter, make, new_address, pass_for, refused
from tests.support.cluster import Cluster
from tests.support.peer import Peer

NOWHERE = {"recovered": False, "head": 0}
NOBODY = 2**53 - 1
"""No chat and no message has this id."""


async def is_shut_out(peer: Peer, room: str, grant: str) -> None:
    """Nothing of a room can be had, and what is asked of it sounds as if there were none."""
    for name in (room, f"{room}, which is none"):
        for event, data in (
            ("message", {"content": "let me in"}),
            ("typing", {}),
            ("history", {}),
            ("history", {"after": 0}),
            ("seen", {"seq": 1}),
            ("deleteMessages", {}),
        ):
            assert await refused(peer, event, {"room": name, **data}) == "not_joined"
        for grants in ({}, {"grants": {name: grant}}):
            for seq in (0, 1):
                reply = await peer.request("resume", {"rooms": {name: seq}, **grants})
                assert reply["rooms"] == {name: NOWHERE}
        for knock in ({}, {"grant": grant}, {"password": "wrong"}):
            assert await refused(peer, "joinRoom", {"room": name, **knock}) == "forbidden"


def heard_nothing(peer: Peer) -> bool:
    """Whether a client heard no more than refusals, and who comes to the server."""
    kinds = {frame["event"] for frame in peer.frames}
    notes = [note["content"] for note in peer.all("notification")]
    return kinds <= {"passwordStatus", "notification", "error", "exception"} and all(
        note == "Invalid password" or note.endswith("connected") for note in notes
    )


async def test_a_protected_room(way: Way) -> None:
    """A stranger, and who was kicked, learn nothing of a protected room, whatever they keep."""
    room = way.name
    async with (
        way.victim("ann") as ann,
        way.enter("bob") as bob,
        way.enter("bob") as again,
        way.enter("eve") as eve,
    ):
        await make(ann, room, "key")
        reply = await bob.request("joinRoom", {"room": room, "password": "key"})
        await ann.request("message", {"room": room, "content": "one"})
        await bob.until(1, "message", room)
        await is_shut_out(eve, room, reply["grant"])
        await ann.request("kick", {"room": room, "user": way.user("bob")})
        await bob.next("kicked", room=room)
        for peer in (bob, again):
            await is_shut_out(peer, room, reply["grant"])
        said = await ann.request("message", {"room": room, "content": "two"})
        await ann.request("typing", {"room": room})
        await ann.request("seen", {"room": room, "seq": said["seq"]})
        await ann.until(2, "message", room)
        # What is answered comes behind whatever was sent before.
        for peer in (bob, again, eve):
            assert await refused(peer, "deleteMessage", said["id"]) == "not_found"
        assert [message["content"] for message in bob.all("message", room)] == ["one"]
        assert heard_nothing(again)
        assert heard_nothing(eve)


async def test_a_new_password(way: Way) -> None:
    """After a change of the password, neither the old one nor what it gave lets anybody in."""
    room = way.name
    async with way.victim("ann") as ann:
        await make(ann, room, "key")
        async with way.enter("bob") as bob:
            reply = await bob.request("joinRoom", {"room": room, "password": "key"})
        await ann.request("setPassword", {"room": room, "password": "another"})
        said = await ann.request("message", {"room": room, "content": "secret"})
        async with way.enter("bob") as bob:
            await is_shut_out(bob, room, reply["grant"])
            assert await refused(bob, "joinRoom", {"room": room, "password": "key"}) == "forbidden"
            assert await refused(bob, "deleteMessage", said["id"]) == "not_found"
            fresh = await bob.request("joinRoom", {"room": room, "password": "another"})
        async with way.enter("eve") as eve:  # with what is bob's
            await is_shut_out(eve, room, fresh["grant"])


async def test_one_who_is_banned(way: Way) -> None:
    """Who is banned does not come back with the right password either."""
    room = way.name
    async with way.victim("ann") as ann, way.enter("bob") as bob:
        await make(ann, room, "key")
        reply = await bob.request("joinRoom", {"room": room, "password": "key"})
        await ann.request("ban", {"room": room, "user": way.user("bob")})
        await bob.next("banned", room=room)
        await is_shut_out(bob, room, reply["grant"])
        async with way.enter("bob") as again:
            for password in ("key", "wrong"):
                knock = {"room": room, "password": password}
                assert await refused(again, "joinRoom", knock) == "forbidden"


async def test_guessing(guarded: Cluster) -> None:
    """From five addresses, as five users and at both gateways one has few guesses at a password."""
    room = "a room with a password"
    async with Peer(guarded.gateway_url(1), token=pass_for("its owner")) as owner:
        await make(owner, room, "key")
    ends: list[str] = []
    addresses = [new_address() for _ in range(5)]
    for number in range(60):
        url = guarded.gateway_url(1 + number % 2)
        shown = pass_for(f"guesser {number % 5}")
        async with Peer(url, token=shown, headers=addresses[number % 5]) as peer:
            guess = {"room": room, "password": f"guess {number}"}
            ends.append(await refused(peer, "joinRoom", guess))
    assert ends == ["forbidden"] * 25 + ["rate_limited"] * 35
    async with Peer(guarded.gateway_url(2), token=pass_for("guesser 1")) as peer:
        right = {"room": room, "password": "key"}
        assert await refused(peer, "joinRoom", right) == "rate_limited"
    async with Peer(guarded.gateway_url(2), token=pass_for("its owner")) as owner:
        await owner.request("joinRoom", {"room": room, "password": "key"})


async def test_chats_of_others(way: Way) -> None:
    """A chat and its messages look to all others as if they were none, and say nothing to them."""
    ann, bob, eve = way.user("ann"), way.user("bob"), way.user("eve")
    async with way.victim("ann") as victim, way.enter("eve") as thief:
        message = {"senderId": ann, "receiverId": bob, "content": "secret"}
        sent = await victim.request("sendMessage", message)
        await thief.request("userOnline", eve)
        for chat, of in ((sent["chatId"], sent["id"]), (NOBODY, NOBODY)):
            for event, data in (
                ("getMessages", chat),
                ("history", {"chatId": chat}),
                ("typing", {"chatId": chat}),
                ("seen", {"chatId": chat, "seq": 1}),
                ("markAsSeen", of),
                ("deleteMessage", of),
            ):
                assert await refused(thief, event, data) == "not_found", event
            reply = await thief.request("resume", {"chats": {str(chat): 0}})
            assert reply["chats"] == {str(chat): NOWHERE}
        into = {"senderId": eve, "receiverId": ann, "content": "hi", "chatId": sent["chatId"]}
        assert await refused(thief, "sendMessage", into) == "not_found"
        assert [frame["event"] for frame in thief.frames if "secret" in repr(frame)] == []
        await victim.request("getMessages", sent["chatId"])
        [kept] = (await victim.next("loadMessages"))["data"]
        assert kept["content"] == "secret"


async def test_what_one_has_sent_oneself(way: Way) -> None:
    """Only who received a message marks it as seen: its sender cannot, and nobody is told so."""
    ann, bob = way.user("ann"), way.user("bob")
    async with way.victim("ann") as receiver, way.enter("bob") as sender:
        await receiver.request("userOnline", ann)
        message = {"senderId": bob, "receiverId": ann, "content": "read this"}
        sent = await sender.request("sendMessage", message)
        await receiver.next("newMessage")
        assert await refused(sender, "markAsSeen", sent["id"]) == "forbidden"
        await sender.request("getMessages", sent["chatId"])
        [kept] = (await sender.next("loadMessages"))["data"]
        assert not kept["seen"]
        assert sender.all("messageSeen") == receiver.all("messageSeen") == []
        await receiver.request("markAsSeen", sent["id"])
        assert (await sender.next("messageSeen"))["data"]["messageId"] == sent["id"]


async def test_chats_of_others_over_rest(guarded: Cluster) -> None:
    """REST answers who is no user of a chat as if it were none, at each gateway."""
    async with httpx.AsyncClient() as http:

        async def ask(
            number: int, method: str, path: str, user: str, body: object = None
        ) -> httpx.Response:
            shown = {"Authorization": f"Bearer {pass_for(user)}", **new_address()}
            url = guarded.gateway_url(number) + path
            return await http.request(method, url, headers=shown, json=body)

        pair = {"user1Id": "rest ann", "user2Id": "rest bob"}
        for number in (1, 2):
            made: dict[str, Any] = (await ask(number, "POST", "/chats", "rest ann", pair)).json()
            own = f"/chats/{made['id']}"
            for method in ("GET", "DELETE"):
                hidden = await ask(number, method, own, "rest eve")
                absent = await ask(number, method, f"/chats/{NOBODY}", "rest eve")
                assert hidden.status_code == absent.status_code == 404
                assert hidden.text.replace(str(made["id"]), str(NOBODY)) == absent.text
                assert hidden.headers.keys() == absent.headers.keys()
            for user in ("rest ann", "rest%20ann", "nobody"):
                answer = await ask(number, "GET", f"/chats/user/{user}", "rest eve")
                assert answer.status_code == 403
            assert (await ask(number, "POST", "/chats", "rest eve", pair)).status_code == 403
            assert (await ask(3 - number, "GET", own, "rest bob")).json() == made


async def test_deleting_what_others_said(way: Way) -> None:
    """A member deletes what is its own only; the others see that nothing happened."""
    room = way.name
    async with way.victim("ann") as ann, way.enter("eve") as eve:
        await make(ann, room)
        await eve.request("joinRoom", {"room": room})
        said = await ann.request("message", {"room": room, "content": "stays"})
        await eve.until(1, "message", room)
        assert await refused(eve, "deleteMessage", said["id"]) == "forbidden"
        for event, data in (
            ("deleteMessages", {}),
            ("kick", {"user": way.user("ann")}),
            ("ban", {"user": way.user("ann")}),
            ("kick", {"user": way.user("bob")}),
            ("ban", {"user": way.user("bob")}),
            ("setModerator", {"user": way.user("eve"), "moderator": True}),
            ("setPassword", {"password": "mine"}),
        ):
            assert await refused(eve, event, {"room": room, **data}) == "forbidden"
        own = await eve.request("message", {"room": room, "content": "goes"})
        await eve.request("deleteMessage", own["id"])
        deleted = await ann.next("messageDeleted", room=room)
        assert deleted["data"]["messageId"] == own["id"]
        [kept] = [
            item
            for item in (await ann.request("history", {"room": room}))["items"]
            if item.get("content")
        ]
        assert kept["content"] == "stays"


async def test_presence_of_others(guarded: Cluster) -> None:
    """Who has shown no token hears of nobody, and nobody hears of them."""
    for number in (1, 2):
        url = guarded.gateway_url(number)
        async with (
            Peer(url, token=pass_for("watcher"), headers=new_address()) as watcher,
            Peer(url, "username=shade&welcome=1", headers=new_address()) as shade,
            enter("json", guarded.gateway_url(3 - number), "", pass_for("shining")) as shining,
        ):
            assert await refused(shade, "userOnline", "shade") == "unauthorized"
            await shining.request("userOnline", "shining")
            await watcher.request("userOnline", "watcher")
            while "shining" not in (await watcher.next("onlineUsers"))["data"]:
                pass
            assert await refused(shade, "getRooms") == "unauthorized"
            assert shade.frames == []
            assert "shade" not in repr(watcher.frames)
