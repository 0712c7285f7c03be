"""Where a direct chat begins to be shown."""

from parley_chat.events.kinds import NewMessage
from parley_chat.log.chats import Chat
from tests.unit.clients.python.log.taking import live


def message(seq: int) -> NewMessage:
    return NewMessage(
        chat_id=1, id=seq * 1024, seq=seq, prev=seq - 1, sender_id=7, receiver_id="bob"
    )


def delivered(chat: Chat, seq: int) -> bool:
    chat.begin(seq - 1)
    return live(chat.log, message(seq))


def test_goes_on_behind_the_list() -> None:
    """The first live event is shown if it follows the last message of the list, once."""
    chat = Chat(1, 5, announced=True)
    assert delivered(chat, 6)
    assert not delivered(chat, 6)
    assert delivered(chat, 7)


def test_what_comes_live_is_news() -> None:
    """A live event is shown also if the list, which was made later, has it already."""
    chat = Chat(1, 5, announced=True)
    assert delivered(chat, 4)
    assert delivered(chat, 5)
    assert delivered(chat, 6)


def test_a_first_event_may_show_a_hole() -> None:
    """Between the last message of the list and the first live event nothing may be missing."""
    chat = Chat(1, 5, announced=True)
    assert not delivered(chat, 7)
    assert chat.log.behind
    assert chat.log.last == 5


def test_waits_when_in_doubt() -> None:
    """When something may have been missed, live events wait, also in a chat with none so far."""
    for chat in (Chat(1, 5, announced=True), Chat(1, 0, announced=True)):
        delivered(chat, 1 if chat.base == 0 else 5)
        chat.doubt()
        assert not delivered(chat, 6)
        assert not chat.subscribed
    quiet = Chat(1, 5, announced=True)
    quiet.doubt()
    assert not delivered(quiet, 6)
    assert quiet.log.last == 5
