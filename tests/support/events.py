"""Events for tests: strategies for hypothesis, and short ways to make one."""

from hypothesis import strategies as st

from shared.codec import VERSION
from shared.model.events import (
    Beat,
    Body,
    Event,
    HistoryCleared,
    MessagePosted,
    Notice,
    RoomCreated,
    TypingChanged,
)

numbers = st.integers(0, 2**53 - 1)
texts = st.text(max_size=30)
kinds = st.sampled_from(["room", "direct"])
bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(RoomCreated, kinds, texts, texts, texts, texts),
    st.builds(MessagePosted, texts, texts, texts),
    st.builds(HistoryCleared, texts),
    st.builds(Notice, texts, texts),
    st.builds(TypingChanged, texts, texts),
    st.builds(Beat, texts, numbers, numbers),
)
events = st.builds(
    Event, st.just(VERSION), numbers, numbers, numbers, numbers, numbers, body=bodies
)


def message(seq: int, content: str = "hello", *, room: int = 7, prev: int | None = None) -> Event:
    """A message at a place of a room."""
    body = MessagePosted("ann", content, f"msg-{seq}")
    return Event(VERSION, room, seq << 10, seq, seq - 1 if prev is None else prev, 1000 + seq, body)


def cleared(seq: int, *, room: int = 7) -> Event:
    """A clearing at a place of a room."""
    return Event(VERSION, room, seq << 10, seq, seq - 1, 1000 + seq, HistoryCleared("ann"))


def created(name: str, *, room: int = 7) -> Event:
    """The creation of the named room."""
    body = RoomCreated("room", f"r:{name}", name, "", "ann")
    return Event(VERSION, room, room, 0, 0, 1000, body)
