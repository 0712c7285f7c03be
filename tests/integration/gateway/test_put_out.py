"""Being put out of a room while coming in: whoever was let in before it is out, others stay."""

from typing import Any

import pytest

from shared.errors import ChatError
from shared.model.events import Body
from shared.model.log_events import Banned, Kicked, Unbanned
from shared.model.rooms import Room
from tests.integration.gateway.test_hub import Gateway, Member
from tests.integration.gateway.test_hub import gateway as gateway  # noqa: PLC0414 - a fixture
from tests.support.stage import Stage


async def happens(stage: Stage, room: Room, *bodies: Body) -> Room:
    """Let it happen; the room as the broker has it then."""
    for body in bodies:
        once = f"{type(body).__name__} {body}"
        await stage.publisher.send(room, "ann", once, body)
    found = await stage.directory.room(room.key)
    assert found is not None
    return found


def bob(gateway: Gateway) -> Member:
    """Bob, on another connection each time."""
    member = gateway.member()
    member.client.bind("bob")
    return member


async def told(member: Member, event: str) -> dict[str, Any]:
    """Wait for an event, and return its data."""
    while (frame := await member.receive())["event"] != event:
        pass
    data: dict[str, Any] = frame["data"]
    return data


@pytest.mark.parametrize(
    ("put_out", "reason"), [(Kicked("bob", "ann"), None), (Banned("bob", "ann"), "banned")]
)
async def test_before_the_room_is_followed(
    stage: Stage, gateway: Gateway, put_out: Body, reason: str | None
) -> None:
    """Who was let in by what the room was, and put out before it is followed, is not in it."""
    room = await stage.make()
    await happens(stage, room, put_out)
    late = bob(gateway)
    with pytest.raises(ChatError) as refusal:
        await late.enter(room)
    assert (refusal.value.code, refusal.value.reason) == ("forbidden", reason)
    assert not gateway.hub.rooms_of(late.client)
    assert gateway.hub.followed(room.key) is None


async def test_while_history_is_read(stage: Stage, gateway: Gateway) -> None:
    """Who is put out while the history is on the way hears of it, and of nothing after it."""
    room = await stage.make()
    ann, late = gateway.member(), bob(gateway)
    await ann.join(room)
    local = await late.enter(room)
    await happens(stage, room, Kicked("bob", "ann"))
    assert (await told(late, "kicked"))["user"] == "bob"
    assert (await told(ann, "kicked"))["seq"] == 1
    await stage.send(room, "after")
    assert (await told(ann, "message"))["content"] == "after"
    gateway.hub.go_live(late.client, local, 0)
    assert late.client not in local.members
    assert not gateway.hub.rooms_of(late.client)


async def test_a_gateway_that_is_behind(stage: Stage, gateway: Gateway) -> None:
    """Who comes in again after a kick stays, though the gateway hears of the kick only then."""
    room = await stage.make()
    ann, first = gateway.member(), bob(gateway)
    await ann.join(room)
    await first.join(room)
    gateway.channels.hold("down")
    now = await happens(stage, room, Kicked("bob", "ann"))
    again = bob(gateway)
    local = await again.enter(now)
    gateway.hub.go_live(again.client, local, now.head)
    gateway.channels.let_go()
    assert (await told(first, "kicked"))["user"] == "bob"
    assert first.client not in local.members
    assert again.client in local.members
    # And one that knew no better than before the kick does not get in any more.
    with pytest.raises(ChatError, match="no such room"):
        await bob(gateway).enter(room)


async def test_what_a_loss_undid(stage: Stage, gateway: Gateway) -> None:
    """A ban that was taken back where this gateway did not hear it shuts nobody out."""
    room = await stage.make()
    ann = gateway.member()
    await ann.join(room)
    await happens(stage, room, Banned("bob", "ann"))
    await told(ann, "banned")
    gateway.channels.hold("down")
    now = await happens(stage, room, Unbanned("bob", "ann"))
    await bob(gateway).enter(now)
    gateway.channels.let_go()
    assert (await told(ann, "unbanned"))["user"] == "bob"
