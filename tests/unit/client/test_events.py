"""Frames as typed events."""

from datetime import UTC, datetime

import pytest

from gateway.client.events import (
    HistoryCleared,
    Message,
    Notification,
    Other,
    ServerError,
    TypingEvent,
    event_of,
    placed,
)
from gateway.client.wire import Frame

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)


def test_types_a_message() -> None:
    """A message has its place, its time in UTC, and what it says."""
    data = {
        "id": 1025,
        "seq": 2,
        "prev": 1,
        "room": "r",
        "content": "hi",
        "sender": "ann",
        "createdAt": "2026-01-02T03:04:05.678Z",
    }
    message = event_of(Frame("message", data, room="r"))
    assert message == Message(
        room="r", id=1025, seq=2, prev=1, content="hi", sender="ann", created_at=AT
    )
    assert placed(message) is message


def test_types_a_deleted_message() -> None:
    """A deleted message keeps its place and says nothing."""
    data = {"id": 1025, "seq": 2, "prev": 1, "room": "r", "deleted": True}
    message = event_of(Frame("message", data))
    assert message == Message(room="r", id=1025, seq=2, prev=1, deleted=True)


def test_types_what_is_told() -> None:
    """Notifications, clearings and errors are typed."""
    at = int(AT.timestamp() * 1000)
    note = event_of(Frame("notification", {"content": "x", "createdAt": at}, room="r"))
    assert note == Notification(content="x", created_at=AT, room="r")
    cleared = event_of(Frame("deleteMessages", {"room": "r", "seq": 3, "prev": 2}))
    assert cleared == HistoryCleared(room="r", seq=3, prev=2)
    error = event_of(Frame("error", {"code": "bad_frame", "message": "m", "retryable": False}))
    assert error == ServerError(code="bad_frame", message="m")


def test_finds_out_who_is_typing() -> None:
    """The name is taken from the sentence; the end of typing names nobody."""
    typing = event_of(Frame("typing", "ann is typing... is typing...", room="r"))
    assert isinstance(typing, TypingEvent)
    assert typing.username == "ann is typing..."
    over = event_of(Frame("typing", "", room="r"))
    assert isinstance(over, TypingEvent)
    assert over.username is None


@pytest.mark.parametrize(
    "frame",
    [
        Frame("messageHistory", [1]),
        Frame("message", {"id": "of another kind"}),
        Frame("notification", None),
        Frame("notification", {"content": "x", "createdAt": 1e300}),
        Frame("typing", 3),
    ],
)
def test_hands_on_what_it_does_not_know(frame: Frame) -> None:
    """An event of an unknown name or form comes as it is."""
    assert event_of(frame) == Other(name=frame.event, data=frame.data)


def test_knows_the_place_of_what_it_does_not_know() -> None:
    """An unknown event of a room's log has its place there, one beside the log has none."""
    edited = event_of(Frame("edited", {"seq": 5, "prev": 4}, room="r"))
    assert isinstance(edited, Other)
    assert (edited.seq, edited.prev) == (5, 4)
    assert placed(edited) is edited
    assert placed(event_of(Frame("seen", {"seq": 5}, room="r"))) is None
