"""Frames as typed events."""

from datetime import UTC, datetime

import pytest

from parley_chat.connection.wire import Data, Frame
from parley_chat.events.kinds import (
    ChatDeleted,
    ChatInfo,
    ChatsList,
    Event,
    HistoryCleared,
    Message,
    MessageDeleted,
    MessageSeen,
    NewChat,
    NewMessage,
    Notification,
    OnlineUsers,
    Seen,
    ServerError,
    TypingEvent,
    UnknownEvent,
)
from parley_chat.events.location import Location, location_of
from parley_chat.events.reading import event_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)
ISO = "2026-01-02T03:04:05.678Z"

DIRECT = NewMessage(
    id=1025,
    chat_id=1,
    seq=2,
    prev=1,
    sender_id=7,
    receiver_id="bob",
    content="hi",
    seen=True,
    seen_at=AT,
    created_at=AT,
)
DIRECT_DATA = {
    "id": 1025,
    "chatId": 1,
    "seq": 2,
    "prev": 1,
    "senderId": 7,
    "receiverId": "bob",
    "content": "hi",
    "seen": True,
    "seenAt": ISO,
    "createdAt": ISO,
}
CHAT_DATA = {"id": 1, "user1Id": 7, "user2Id": "bob", "createdAt": ISO}


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
    assert location_of(Frame("message", data, room="r")) == Location(2, 1, room="r")


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
    """The name is taken from the error_text; the end of typing names nobody."""
    typing = event_of(Frame("typing", "ann is typing... is typing...", room="r"))
    assert isinstance(typing, TypingEvent)
    assert typing.username == "ann is typing..."
    assert typing.users is None
    over = event_of(Frame("typing", "", room="r"))
    assert isinstance(over, TypingEvent)
    assert over.username is None


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        (Frame("newMessage", DIRECT_DATA), DIRECT),
        (
            Frame("newChat", CHAT_DATA),
            NewChat(id=1, user1_id=7, user2_id="bob", created_at=AT),
        ),
        (
            Frame("chatsList", [{**CHAT_DATA, "unread": 3, "lastMessage": DIRECT_DATA}]),
            ChatsList(chats=[ChatInfo(1, 7, "bob", AT, 3, DIRECT)]),
        ),
        (Frame("chatDeleted", {"id": 1}), ChatDeleted(id=1)),
        (Frame("onlineUsers", [7, "bob"]), OnlineUsers(users=[7, "bob"])),
        (Frame("messageSeen", {"messageId": 5, "seen": True}), MessageSeen(message_id=5)),
        (
            Frame("seen", {"user": 7, "seq": 2}, chat_id=1),
            Seen(user=7, seq=2, chat_id=1),
        ),
        (
            Frame("seen", {"user": "bob", "seq": 2}, room="r"),
            Seen(user="bob", seq=2, room="r"),
        ),
        (
            Frame("messageDeleted", {"messageId": 5, "seq": 3, "prev": 2}),
            MessageDeleted(message_id=5, seq=3, prev=2),
        ),
        (
            Frame("messageDeleted", {"messageId": 5, "seq": 3, "prev": 2, "chatId": 1}),
            MessageDeleted(message_id=5, seq=3, prev=2, chat_id=1),
        ),
        (
            Frame("messageDeleted", {"messageId": 5, "seq": 3, "prev": 2}, room="r"),
            MessageDeleted(message_id=5, seq=3, prev=2, room="r"),
        ),
        (
            Frame("typing", "7 is typing...", chat_id=1, users=[7, "bob"]),
            TypingEvent(text="7 is typing...", chat_id=1, username="7", users=[7, "bob"]),
        ),
    ],
)
def test_types_what_belongs_to_direct_chats(frame: Frame, event: Event) -> None:
    """Events of direct chats are typed, user ids as they come, the chat from where it is said."""
    assert event_of(frame) == event


@pytest.mark.parametrize("kind", ["message", "messageDeleted", "skipped", "of next year"])
@pytest.mark.parametrize(
    ("place", "room", "chat_id"),
    [
        ({}, "r", None),
        ({"room": "r"}, None, None),
        ({"room": "r"}, "r", None),
        ({}, None, 1),
        ({"chatId": 1}, None, None),
        ({"chatId": 1}, None, 1),
    ],
)
def test_knows_in_which_log_an_event_stands(
    kind: str, place: Data, room: str | None, chat_id: int | None
) -> None:
    """A known or unknown kind has its place in the room or chat named in its data or beside it."""
    frame = Frame(kind, {**place, "seq": 3, "prev": 2}, room=room, chat_id=chat_id)
    in_room = room is not None or "room" in place
    where = Location(3, 2, room="r") if in_room else Location(3, 2, chat_id=1)
    assert location_of(frame) == where


@pytest.mark.parametrize(
    "data",
    [
        {"user": "ann", "seq": 3},
        {"user": "ann", "prev": 2},
        {"seq": "3", "prev": "2"},
        {"seq": 3.0, "prev": 2.5},
        {"seq": True, "prev": False},
        {"seq": 3, "prev": 3},
        {"seq": 3, "prev": -1},
        "ann is typing...",
        [{"room": "r", "seq": 3, "prev": 2}],
        None,
    ],
)
@pytest.mark.parametrize("kind", ["seen", "typing", "messageHistory", "of next year"])
def test_knows_what_is_no_part_of_a_log(kind: str, data: Data) -> None:
    """What lacks `seq` or `prev`, or has what cannot be one, stands nowhere."""
    assert location_of(Frame(kind, data, room="r")) is None


@pytest.mark.parametrize("where", [{}, {"room": 3}, {"chatId": "1"}, {"chatId": True}])
def test_what_names_no_room_and_no_chat_stands_nowhere(where: Data) -> None:
    """An event has a place only where it says whose log it is of."""
    assert location_of(Frame("skipped", {**where, "seq": 3, "prev": 2})) is None


def test_a_chat_is_with_somebody() -> None:
    """The other user of a chat is found whichever way round it is, and however ids are written."""
    chat = ChatInfo(1, 7, "bob", AT)
    assert (chat.other(7), chat.other("7"), chat.other("bob")) == ("bob", "bob", 7)


@pytest.mark.parametrize(
    "frame",
    [
        Frame("chatsList", {}),
        Frame("onlineUsers", [None]),
        Frame("seen", [1]),
        Frame("messageDeleted", None),
        Frame("messageHistory", [1]),
        Frame("message", {"id": "of another kind"}),
        Frame("notification", None),
        Frame("notification", {"content": "x", "createdAt": 1e300}),
        Frame("typing", 3),
    ],
)
def test_hands_on_what_it_does_not_know(frame: Frame) -> None:
    """An event of an unknown name or form comes as it is."""
    assert event_of(frame) == UnknownEvent(name=frame.event, data=frame.data)


@pytest.mark.parametrize(
    ("frame", "other"),
    [
        (
            Frame("edited", {"seq": 5, "prev": 4}, room="r"),
            UnknownEvent(name="edited", data={"seq": 5, "prev": 4}, room="r", seq=5, prev=4),
        ),
        (
            Frame("skipped", {"chatId": 1, "seq": 5, "prev": 4}),
            UnknownEvent(
                name="skipped",
                data={"chatId": 1, "seq": 5, "prev": 4},
                chat_id=1,
                seq=5,
                prev=4,
            ),
        ),
        (
            Frame("newMessage", {**DIRECT_DATA, "senderId": None}),
            UnknownEvent(
                name="newMessage", data={**DIRECT_DATA, "senderId": None}, chat_id=1, seq=2, prev=1
            ),
        ),
        (
            Frame("waved", {"seq": 5}, room="r"),
            UnknownEvent(name="waved", data={"seq": 5}, room="r"),
        ),
        (Frame("waved", "at", chat_id=1), UnknownEvent(name="waved", data="at", chat_id=1)),
    ],
)
def test_says_where_stands_what_it_does_not_know(frame: Frame, other: UnknownEvent) -> None:
    """An event of an unknown name or form says its place in the log, one beside it where it was."""
    assert event_of(frame) == other
