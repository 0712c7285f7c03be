"""What the load generator takes for a delivery, and what makes a run invalid."""

import pytest

from tests.bench.load.crowd import Crowd
from tests.bench.load.dialects import ParleyJson
from tests.bench.load.room import InvalidRunError, Room
from tests.bench.plan import Group, Job, Scenario


class Member(ParleyJson):
    """A member whose sends go nowhere: deliveries are given to it by the test."""

    def post(self, text: str) -> None:
        """Send nothing."""


def room_with_messages(count: int) -> tuple[Room, Member]:
    room = Room(1, 1, direct=False)
    member = Member("ann", room)
    for _ in range(count):
        room.post()
    return room, member


def frame(text: bytes) -> bytes:
    return b'{"event":"message","data":{"content":"' + text + b'"}}'


async def test_deliveries_are_counted_in_order() -> None:
    """Each message of the room, in its turn, is one delivery."""
    room, member = room_with_messages(3)
    for text in room.texts:
        member.take(frame(text))
    assert (member.next, room.completed, room.problem) == (3, 3, "")


async def test_a_delivery_of_another_room_is_wrong() -> None:
    """What was said in another room makes a run invalid."""
    room, member = room_with_messages(1)
    other = Room(2, 1, direct=False)
    Member("bob", other)
    other.post()
    member.take(frame(other.texts[0]))
    assert "wanted" in room.problem
    assert member.next == 0


async def test_a_text_that_was_changed_is_wrong() -> None:
    """A delivery with the right number and another text makes a run invalid."""
    room, member = room_with_messages(1)
    member.take(frame(room.texts[0].replace(b"mmm", b"mnm", 1)))
    assert room.problem


async def test_what_comes_early_or_twice_is_told() -> None:
    """Out of order counts as a delivery and is told; a second time is told and not counted."""
    room, member = room_with_messages(3)
    for number in (1, 0, 0, 2):
        member.take(frame(room.texts[number]))
    assert (member.next, member.ahead, room.completed) == (3, set(), 3)
    assert (room.out_of_order, room.duplicates, room.problem) == (1, 1, "")


@pytest.mark.parametrize("numbers", [(1, 0), (0, 0)])
async def test_who_promises_order_must_keep_it(numbers: tuple[int, ...]) -> None:
    """Of a system that promises one order and nothing twice, either makes the run invalid."""
    crowd = crowd_of_one(strict=True)
    (room,), (member,) = crowd.rooms, crowd.clients
    for number in numbers:
        member.take(frame(room.texts[number]))
    with pytest.raises(InvalidRunError, match="wrong order, or twice"):
        crowd.check()


async def test_a_missing_delivery_makes_a_run_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run ends invalid when somebody still lacks a message after the time for it."""
    monkeypatch.setattr("tests.bench.load.crowd.DELIVERY_TIMEOUT_SECONDS", 0.05)
    crowd = crowd_of_one(strict=False)
    crowd.clients[0].take(frame(crowd.rooms[0].texts[0]))
    with pytest.raises(InvalidRunError, match="1 deliveries are missing"):
        await crowd.settle()


async def test_a_lost_connection_makes_a_run_invalid() -> None:
    """A run in which a client was disconnected counts nothing."""
    crowd = crowd_of_one(strict=False)
    crowd.clients[0].lost.set_result(None)
    with pytest.raises(InvalidRunError, match="connections were lost: u0"):
        crowd.check()


def crowd_of_one(*, strict: bool) -> Crowd:
    """One member and two messages on their way."""
    scenario = Scenario(name="one", title="one", kind="saturation", groups=(Group(1, 1),))
    job = Job(
        scenario=scenario,
        dialect="parley-json",
        endpoints=("ws://nowhere",),
        processes={},
        strict=strict,
    )
    crowd = Crowd(job)
    (room,) = crowd.rooms
    room.members = [Member("silent", Room(9, 1, direct=False))]
    room.post()
    room.post()
    return crowd
