"""Resuming what is live already: nothing twice, nothing older, and words in their order."""

import asyncio

from tests.cluster.test_resume import fill
from tests.support.cluster import Cluster
from tests.support.peer import Peer


async def test_durable_comes_after_the_reply(cluster: Cluster, room: str) -> None:
    """What is sent again and found in SQL is answered first, and called durable then."""
    async with Peer(cluster.gateway_url(1), "username=ann&durable=1") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        send = {"room": room, "content": "hello", "clientMsgId": "m1"}
        await ann.request("message", send)
        await ann.next("durable")
        await ann.emit("message", {**send, "resend": True}, "again")
        await ann.next("reply")
        assert (await ann.next("durable"))["data"] == {"room": room, "seq": 1}
        assert len(ann.all("durable")) == 2


async def test_resume_of_a_live_chat_brings_nothing_twice(cluster: Cluster) -> None:
    """Whoever resumes a chat that is live, and was never resumed, gets each message once."""
    for pair in range(5):
        one, other = f"ann{pair}", f"bob{pair}"
        async with (
            Peer(cluster.gateway_url(1), f"username={one}") as ann,
            Peer(cluster.gateway_url(2), f"username={other}") as bob,
        ):
            await bob.request("userOnline", other)

            async def say(number: int, ann: Peer = ann, one: str = one, other: str = other) -> int:
                send = {"senderId": one, "receiverId": other, "content": str(number)}
                return int((await ann.request("sendMessage", send))["chatId"])

            chat = await say(0)
            talking = asyncio.gather(*(say(n) for n in range(1, 200)))
            await bob.until(20, "newMessage", None)
            place = bob.all("newMessage")[-1]["seq"]
            await bob.request("resume", {"chats": {str(chat): place}})
            await talking
            await bob.until(200, "newMessage", None)
            assert [m["seq"] for m in bob.all("newMessage")] == list(range(1, 201))


async def test_seen_never_goes_back_over_a_resume(cluster: Cluster, room: str) -> None:
    """While a cursor moves on, whoever resumes hears it move forward only."""
    async with Peer(cluster.gateway_url(1), "username=ann") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        await fill(ann, room, 3000)

        async def see_all() -> None:
            for first in range(1, 3000, 20):
                marks = range(first, first + 20)
                await asyncio.gather(
                    *(ann.request("seen", {"room": room, "seq": seq}) for seq in marks)
                )

        seeing = asyncio.create_task(see_all())
        while not seeing.done():
            async with Peer(cluster.gateway_url(2), "username=bob") as bob:
                await bob.request("resume", {"rooms": {room: 3000}})
                if not seeing.done():
                    await bob.next("seen", room=room)
                told = [mark["seq"] for mark in bob.all("seen", room)]
                assert told == sorted(told)
        await seeing
