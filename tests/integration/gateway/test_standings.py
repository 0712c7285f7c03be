"""What events change of a room: the broker, SQL and the gateways keep the same of it."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.model.events import Body
from shared.model.kinds import LogEvent
from shared.model.log_events import (
    Banned,
    HistoryCleared,
    Kicked,
    ModeratorChanged,
    PasswordChanged,
    Unbanned,
)
from shared.model.rooms import Room
from tests.support.stage import Stage

# A name may hold whatever else a record's fields are called.
users = st.sampled_from(["bob", "moderator:bob", "banned:", "größe 1", "7"])
changes: st.SearchStrategy[LogEvent] = st.one_of(
    st.builds(Kicked, users, st.just("ann")),
    st.builds(Banned, users, st.just("ann")),
    st.builds(Unbanned, users, st.just("ann")),
    st.builds(ModeratorChanged, users, st.just("ann"), st.booleans()),
    st.builds(PasswordChanged, st.just("ann"), st.booleans(), st.sampled_from(["", "$hash$ %d"])),
    st.just(HistoryCleared("ann")),
)
_numbers = iter(range(10**6))


async def happen(stage: Stage, room: Room, bodies: list[Body]) -> Room:
    """Send events to a room; what the gateways make of it as they deliver them."""
    for body in bodies:
        await stage.publisher.send(room, "ann", f"{next(_numbers)}", body)
    for event in (await stage.replay.after(room, 0)).events:
        room = room.after(event)
    return room


async def test_all_keep_the_same(stage: Stage) -> None:
    """Whatever happens in a room, broker, SQL and gateways agree on what holds now."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(changes, min_size=1, max_size=12))
    def collect(bodies: list[LogEvent]) -> None:
        stories.append(bodies)

    stories: list[list[LogEvent]] = []
    collect()
    async with stage.storing():
        for number, story in enumerate(stories):
            room = await stage.make(f"room {number}")
            told = await happen(stage, room, [*story])
            held = await stage.directory.room(room.key)
            assert held is not None
            assert held.standings == told.standings
            assert held.password_seq == told.password_seq
            assert held.floor == told.floor
            await stage.all_stored(room, len(story))
            await stage.gone_quiet_at_once(room)
            opened = await stage.directory.room(room.key)
            assert opened == held
            again = (await stage.replay.after(room, 0)).events
            after = room
            for event in again:
                after = after.after(event)
            assert after == told
