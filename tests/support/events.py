"""Events for tests: strategies for hypothesis, and short ways to make one."""

from hypothesis import strategies as st
from msgspec.structs import fields

from shared.model.events import (
    Body,
    CursorMoved,
    Event,
    GatewayHeartbeat,
    Notice,
    PresenceChanged,
    PresenceState,
    PresenceWanted,
    RoomCreated,
    TypingChanged,
    Unknown,
    Wake,
)
from shared.model.formats import NEWEST
from shared.model.ids import chat_key
from shared.model.kinds import LogEvent, UserName
from shared.model.log_events import (
    LOG_EVENTS,
    HistoryCleared,
    MessageDeleted,
    MessagePosted,
    RoomDeleted,
)

numbers = st.integers(0, 2**53 - 1)
texts = st.text(max_size=30)
kinds = st.sampled_from(["room", "direct"])
users = st.lists(texts, max_size=3)


def any_of(kind: type[LogEvent]) -> st.SearchStrategy[LogEvent]:
    """Any event of a kind."""
    values = {str: texts, UserName: texts, int: numbers, bool: st.booleans()}
    return st.builds(kind, **{field.name: values[field.type] for field in fields(kind)})


log_events: st.SearchStrategy[LogEvent] = st.one_of([any_of(kind) for kind in LOG_EVENTS])
"""What happens in a room's log."""
kept: st.SearchStrategy[Body] = st.one_of(
    st.builds(RoomCreated, kinds, texts, texts, texts, texts, texts, texts),
    log_events,
    st.builds(CursorMoved, texts, numbers, numbers, numbers, texts, texts, texts, texts, numbers),
)
"""What is stored."""
signals: st.SearchStrategy[Body] = st.one_of(
    st.builds(Wake, texts, texts, texts, st.booleans()),
    st.builds(Notice, texts, texts),
    st.builds(TypingChanged, texts, texts, texts, texts),
    st.builds(GatewayHeartbeat, texts, numbers, numbers, numbers),
    st.builds(PresenceChanged, texts, numbers, users, users),
    st.builds(PresenceState, texts, numbers, users),
    st.builds(PresenceWanted, texts),
    st.builds(Unknown, texts),
)
"""What is not."""
bodies = kept | signals
events = st.builds(Event, st.just(NEWEST), numbers, numbers, numbers, numbers, numbers, body=bodies)


def message(seq: int, content: str = "hello", *, room: int = 7, prev: int | None = None) -> Event:
    """A message with a seq in a room."""
    body = MessagePosted("ann", content, f"msg-{seq}")
    return Event(NEWEST, room, seq << 10, seq, seq - 1 if prev is None else prev, 1000 + seq, body)


def cleared(seq: int, *, room: int = 7) -> Event:
    """A clearing with a seq in a room."""
    return Event(NEWEST, room, seq << 10, seq, seq - 1, 1000 + seq, HistoryCleared("ann"))


def deleted(seq: int, of: int, *, room: int = 7) -> Event:
    """The deletion of the message with seq `of`."""
    body = MessageDeleted("ann", of << 10, of)
    return Event(NEWEST, room, seq << 10, seq, seq - 1, 1000 + seq, body)


def seen(user: str, since: int, seq: int, *, at: int = 2000, room: int = 7) -> Event:
    """A move of a cursor of the direct chat of ann and bob."""
    body = CursorMoved(user, seq, since, 0, "", "d:3:ann:bob", "ann", "bob")
    return Event(NEWEST, room, at << 10, 0, 0, at, body)


def dropped(room: int = 7, seq: int = 9) -> Event:
    """The end of a room."""
    return Event(NEWEST, room, seq << 10, seq, seq - 1, 1000 + seq, RoomDeleted(""))


def created_chat(room: int = 7, one: str = "ann", other: str = "bob") -> Event:
    """The creation of a direct chat."""
    key = chat_key(one, other)
    body = RoomCreated("direct", key, "", "", one, one, other)
    return Event(NEWEST, room, room, 0, 0, 1000, body)


def created(name: str, *, room: int = 7) -> Event:
    """The creation of the named room."""
    body = RoomCreated("room", f"r:{name}", name, "", "ann")
    return Event(NEWEST, room, room, 0, 0, 1000, body)
