"""Events as lines for a person."""

import re

import pytest

from parley_chat.events.answers import Act
from parley_chat.events.kinds import (
    CaughtUp,
    ChatDeleted,
    ChatInfo,
    ChatsList,
    Connected,
    Disconnected,
    Event,
    Message,
    MessageDeleted,
    MessageSeen,
    Notification,
    OnlineUsers,
    Seen,
    TypingEvent,
    UserId,
)
from parley_chat.terminal.screen import Screen, escape
from tests.unit.clients.python.terminal.talk import AT, said_to


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\x07\x08\x7f", "a\\rb\\x07\\x08\\x7f"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\ufeff\u200b\u2028", "\\ufeff\\u200b\\u2028"),
        ("é 漢\u3000字 👩\u200d💻", "é 漢\u3000字 👩\u200d💻"),
    ],
)
def test_what_others_write_cannot_drive_the_terminal(text: str, shown: str) -> None:
    """Control characters and marks that turn the writing around are shown as escapes."""
    assert escape(text) == shown


@pytest.mark.parametrize(
    "event",
    [
        Message(room="\x1b]", id=1, seq=1, prev=0, sender="a\x1b[1m", content="x\x1b[0m\n\x1b"),
        Notification(content="\x1b[2J", created_at=AT, room="\x1b"),
        TypingEvent(room="r\x1b", text="", username="\x1b[1m"),
        Disconnected(reason="\x1b[1m"),
        CaughtUp(room="\x1b", count=2),
        said_to(sender="\x1b[1m", content="\x1b[0m"),
        ChatsList(chats=[ChatInfo(1, "a\x1b", "b\x1b", AT, 1, said_to("x", "\x1b"))]),
        OnlineUsers(users=["\x1b"]),
        MessageDeleted(message_id=1, room="\x1b"),
    ],
)
def test_no_event_has_a_way_around_it(event: Event) -> None:
    """Whatever part of an event holds control characters, its line has none."""
    screen = Screen("ann", colours=False)
    screen.places = 2
    line = screen.line(event)
    assert line is not None
    assert re.search(r"[^\n\x20-\x7e]", line) is None


@pytest.mark.parametrize(
    ("act", "shown"),
    [
        (Act(9, AT, "deleteMessages", by="a\x1b"), "a\\x1b deleted all messages"),
        (Act(8, AT, "messageDeleted", by=7, user="e\x1b"), "7 deleted a message of e\\x1b"),
        (Act(7, AT, "unbanned", by="ann", user=7), "ann took the ban of 7 back"),
        (
            Act(6, AT, "moderatorChanged", by="ann", user="mia", moderator=False),
            "ann made mia a member again",
        ),
        (Act(5, AT, "passwordChanged", by="ann", protected=False), "ann removed the password"),
        (Act(4, AT, "somethingNew", by="ann"), "ann changed the rules of the room"),
        (Act(0, AT, "roomCreated"), "somebody created the room"),
    ],
)
def test_shows_what_was_done(act: Act, shown: str) -> None:
    """The line of an act has its date, who did it, and to whom; names cannot drive the terminal."""
    when = f"{AT.astimezone():%Y-%m-%d %H:%M}"
    assert Screen("ann", colours=False).act(act) == f"{when} {shown}"


def test_shows_messages() -> None:
    """A message is a line with time and sender, its further lines set in."""
    screen = Screen("ann", colours=False)
    message = Message(
        room="den", id=1, seq=1, prev=0, sender="bob", content="one\ntwo", created_at=AT
    )
    clock = f"{AT.astimezone():%H:%M}"
    assert screen.line(message) == f"{clock} bob: one\n      | two"
    screen.places = 2
    assert str(screen.line(message)).startswith(f"{clock} [den] bob: one")


def test_names_have_their_colour() -> None:
    """A name has the same colour everywhere, and not every name the same one."""
    one, other = Screen("x", colours=True), Screen("y", colours=True)
    assert one.name("bob") == other.name("bob")
    assert len({one.name(name).split("m")[0] for name in ("ann", "bob", "cat", "dan")}) > 1


def test_tells_of_the_connection() -> None:
    """The connection's ups and downs are told in a line each."""
    screen = Screen("ann", colours=False)
    told = [
        screen.line(Connected(url="ws://h/ws", again=False)),
        screen.line(Disconnected(reason="the connection broke")),
        screen.line(Connected(url="ws://h/ws", again=True)),
        screen.line(CaughtUp(room="r", count=14)),
    ]
    assert told == [
        "-- connected: ws://h/ws",
        "-- the connection broke, reconnecting...",
        "-- connected again: ws://h/ws",
        "-- caught up 14 messages",
    ]


def test_typing_is_told_once() -> None:
    """Somebody who begins to type is told of once, and again after having stopped."""
    screen = Screen("ann", colours=False)
    begins = TypingEvent(room="r", text="", username="bob")
    stops = TypingEvent(room="r", text="")
    told = [screen.line(event) for event in (begins, begins, stops, begins)]
    assert told == ["-- bob is typing...", None, None, "-- bob is typing..."]


def test_direct_messages_say_with_whom() -> None:
    """A direct message names the other user wherever the reader is, and tells who said it."""
    screen = Screen("ann", colours=False)
    clock = f"{AT.astimezone():%H:%M}"
    assert screen.line(said_to("bob", "hi")) == f"{clock} [@bob] bob: hi"
    assert screen.line(said_to("ann", "hello", 2)) == f"{clock} [@bob] ann: hello"
    assert screen.line(said_to(7, "psst", chat=2)) == f"{clock} [@7] 7: psst"


def test_what_happens_in_a_chat_is_told_quietly() -> None:
    """Having seen is a tick, typing is told once; what the user did on another device is not."""
    screen = Screen("ann", colours=False)
    screen.line(said_to("bob", "hi"))
    typing = TypingEvent(chat_id=1, text="", username="bob")
    told = [
        screen.line(MessageSeen(message_id=1024, chat_id=1)),
        screen.line(Seen(user="bob", seq=1, chat_id=1)),
        screen.line(Seen(user="bob", seq=1, room="den")),
        screen.line(Seen(user="ann", seq=1, chat_id=1)),
        screen.line(typing),
        screen.line(typing),
        screen.line(MessageDeleted(message_id=1024, chat_id=1)),
        screen.line(ChatDeleted(id=1)),
        screen.line(CaughtUp(chat_id=1, count=0)),
        screen.line(CaughtUp(chat_id=1, count=1)),
    ]
    assert told == [
        "-- [@bob] ✓ seen",
        "-- [@bob] ✓ seen",
        "-- ✓ seen by bob",
        None,
        "-- [@bob] bob is typing...",
        None,
        "-- [@bob] a message was deleted",
        "-- [@bob] the chat was deleted",
        None,
        "-- [@bob] caught up 1 message",
    ]
    assert Screen("ann", colours=True).status("✓ seen") == "\x1b[2m-- ✓ seen\x1b[0m"


def test_who_came_and_went() -> None:
    """Who is online is told in full at first, then who came and who went, and else nothing."""
    screen = Screen("ann", colours=False)
    lists: list[list[UserId]] = [[7, "bob"], [7, "bob"], [7, "cat"]]
    assert [screen.line(OnlineUsers(users=users)) for users in lists] == [
        "-- online: 7, bob",
        None,
        "-- cat is online\n-- bob went offline",
    ]


def test_lists_chats() -> None:
    """A chat of a list is a line: with whom, how much is unread, what was said last."""
    screen = Screen("ann", colours=False)
    talked = ChatInfo(1, "ann", "bob", AT, 2, said_to("bob", "one\ntwo"))
    quiet = ChatInfo(2, 7, "ann", AT)
    assert [screen.chat(talked), screen.chat(quiet)] == ["bob (2 unread): one", "7"]
    assert screen.line(ChatsList(chats=[talked])) == "-- unread: bob (2 unread): one"
