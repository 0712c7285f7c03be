"""Who is typing."""

from parley_chat.events.kinds import Message, NewMessage, TypingEvent
from parley_chat.events.typing_tracker import TypingTracker


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        """Return the time."""
        return self.now


def sign(name: str | None, room: str = "r") -> TypingEvent:
    return TypingEvent(room=room, text=f"{name} is typing..." if name else "", username=name)


def test_names_those_who_type_in_a_room() -> None:
    """Each room has its own typing_tracker, in the order in which they began."""
    typing_tracker = TypingTracker(Clock().read)
    for event in (sign("ann"), sign("bob"), sign("cat", "other"), sign("ann")):
        typing_tracker.take(event)
    assert typing_tracker.names("r") == ["ann", "bob"]
    assert typing_tracker.names("other") == ["cat"]
    assert typing_tracker.names("nowhere") == []


def test_the_only_one_stops() -> None:
    """When one is typing and one stops, it is the same one."""
    typing_tracker = TypingTracker(Clock().read)
    typing_tracker.take(sign("ann"))
    typing_tracker.take(sign(None))
    assert typing_tracker.names("r") == []


def test_one_of_several_stops() -> None:
    """When one of several stops, it is the one whose last sign is as old as the server waits."""
    clock = Clock()
    typing_tracker = TypingTracker(clock.read)
    typing_tracker.take(sign("ann"))
    clock.now += 1.2
    typing_tracker.take(sign("bob"))
    clock.now += 1.0
    typing_tracker.take(sign(None))
    assert typing_tracker.names("r") == ["bob"]


def test_a_list_of_all_who_type() -> None:
    """Where the server lists who types, who stopped is known at once, also in a chat by number."""
    typing_tracker = TypingTracker(Clock().read)
    for users in (["ann"], ["ann", "bob"], ["bob"]):
        text = f"{users[-1]} is typing..."
        typing_tracker.take(TypingEvent(room="r", text=text, username=users[-1], users=[*users]))
        assert typing_tracker.names("r") == users
    typing_tracker.take(TypingEvent(room="r", text="", users=[]))
    assert typing_tracker.names("r") == []
    typing_tracker.take(TypingEvent(chat_id=1, text="7 is typing...", username="7", users=[7]))
    assert typing_tracker.names(1) == ["7"]


def test_a_lost_end_is_not_waited_for() -> None:
    """Somebody whose end was not told is forgotten soon after."""
    clock = Clock()
    typing_tracker = TypingTracker(clock.read)
    typing_tracker.take(sign("ann"))
    clock.now += 3.1
    assert typing_tracker.names("r") == []


def test_a_message_ends_it() -> None:
    """Whoever has said something is not typing it any more."""
    typing_tracker = TypingTracker(Clock().read)
    typing_tracker.take(sign("ann"))
    typing_tracker.take(Message(room="r", id=1, seq=1, prev=0, sender="ann"))
    assert typing_tracker.names("r") == []


def test_chats_have_typists_too() -> None:
    """A direct chat has its own typing_tracker, and a message of theirs ends it."""
    typing_tracker = TypingTracker(Clock().read)
    typing_tracker.take(TypingEvent(chat_id=1, text="7 is typing...", username="7"))
    typing_tracker.take(TypingEvent(chat_id=2, text="8 is typing...", username="8"))
    assert (typing_tracker.names(1), typing_tracker.names(2), typing_tracker.names(None)) == (
        ["7"],
        ["8"],
        [],
    )
    typing_tracker.take(NewMessage(chat_id=1, id=1, seq=1, prev=0, sender_id=7, receiver_id=9))
    assert (typing_tracker.names(1), typing_tracker.names(2)) == ([], ["8"])
