"""Who is typing."""

from parley_chat.events.kinds import Message, NewMessage, TypingEvent
from parley_chat.events.typists import Typists


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
    """Each room has its own typists, in the order in which they began."""
    typists = Typists(Clock().read)
    for event in (sign("ann"), sign("bob"), sign("cat", "other"), sign("ann")):
        typists.take(event)
    assert typists.names("r") == ["ann", "bob"]
    assert typists.names("other") == ["cat"]
    assert typists.names("nowhere") == []


def test_the_only_one_stops() -> None:
    """When one is typing and one stops, it is the same one."""
    typists = Typists(Clock().read)
    typists.take(sign("ann"))
    typists.take(sign(None))
    assert typists.names("r") == []


def test_one_of_several_stops() -> None:
    """When one of several stops, it is the one whose last sign is as old as the server waits."""
    clock = Clock()
    typists = Typists(clock.read)
    typists.take(sign("ann"))
    clock.now += 1.2
    typists.take(sign("bob"))
    clock.now += 1.0
    typists.take(sign(None))
    assert typists.names("r") == ["bob"]


def test_a_lost_end_is_not_waited_for() -> None:
    """Somebody whose end was not told is forgotten soon after."""
    clock = Clock()
    typists = Typists(clock.read)
    typists.take(sign("ann"))
    clock.now += 3.1
    assert typists.names("r") == []


def test_a_message_ends_it() -> None:
    """Whoever has said something is not typing it any more."""
    typists = Typists(Clock().read)
    typists.take(sign("ann"))
    typists.take(Message(room="r", id=1, seq=1, prev=0, sender="ann"))
    assert typists.names("r") == []


def test_chats_have_typists_too() -> None:
    """A direct chat has its own typists, and a message of theirs ends it."""
    typists = Typists(Clock().read)
    typists.take(TypingEvent(chat_id=1, text="7 is typing...", username="7"))
    typists.take(TypingEvent(chat_id=2, text="8 is typing...", username="8"))
    assert (typists.names(1), typists.names(2), typists.names(None)) == (["7"], ["8"], [])
    typists.take(NewMessage(chat_id=1, id=1, seq=1, prev=0, sender_id=7, receiver_id=9))
    assert (typists.names(1), typists.names(2)) == ([], ["8"])
