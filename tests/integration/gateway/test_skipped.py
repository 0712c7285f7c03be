"""Events of a kind that only a newer build knows: clients are told where they stand."""

from typing import cast

import msgspec

from gateway.protocols.announcements import room_announcements
from shared.broker.rooms.send import Accepted
from shared.model.events import Body
from shared.model.rooms import Room
from tests.integration.gateway.test_hub import Gateway
from tests.integration.gateway.test_hub import gateway as gateway  # noqa: PLC0414 - a fixture
from tests.support.stage import Stage


class PollOpened(msgspec.Struct, frozen=True, array_like=True, tag="poll"):
    """Something that this build knows nothing of."""

    question: str


async def poll(stage: Stage, room: Room) -> Accepted:
    """Let it happen, as a gateway of a newer build does."""
    return await stage.publisher.send(room, "ann", "poll", cast("Body", PollOpened("fish?")))


async def test_what_comes_after_it_closes_no_gap(stage: Stage, gateway: Gateway) -> None:
    """Members hear that a place is skipped, so that the next event names one that they have."""
    room = await stage.make()
    member = gateway.member()
    await member.join(room)
    before = await stage.send(room, "before")
    skipped = await poll(stage, room)
    await stage.send(room, "after")
    frames = [await member.receive()]
    while frames[-1]["data"].get("content") != "after":
        frames.append(await member.receive())
    assert [frame["event"] for frame in frames] == ["message", "skipped", "message"]
    assert frames[1]["room"] == room.name
    assert frames[1]["data"] == {"room": room.name, "seq": skipped.seq, "prev": before.seq}
    assert frames[2]["data"]["prev"] == skipped.seq


async def test_so_does_who_hears_of_it_later(stage: Stage) -> None:
    """Whoever resumes, or is in a chat, is told the same of what the log holds."""
    async with stage.storing():
        for room in (await stage.make(), await stage.chat()):
            await stage.send(room, "before")
            await poll(stage, room)
            await stage.send(room, "after")
            events = (await stage.replay.after(room, 0)).events
            told = [item for event in events for item in room_announcements(event, room, "")]
            places = [(item.data.seq, item.data.prev) for item in told]
            assert places == [(1, 0), (2, 1), (3, 2)]
            assert told[1].event == "skipped"


async def test_it_is_set_aside_for_the_newer_build(stage: Stage) -> None:
    """A persister that does not know the kind keeps the entry whole, and stores what is around."""
    async with stage.storing():
        room = await stage.make()
        await stage.send(room, "before")
        await poll(stage, room)
        await stage.send(room, "after")
        await stage.all_stored(room, 3)
    kinds = [(seq, kind) for seq, _, kind in await stage.stored(room)]
    assert kinds == [(1, "message"), (2, "void"), (3, "message")]
    [(_, fields)] = await stage.server.admin.xrange(stage.keys.of(room.key).dead)
    assert fields[b"e"].endswith(msgspec.msgpack.encode(PollOpened("fish?")))
