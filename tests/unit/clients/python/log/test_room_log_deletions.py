"""Deletions of single messages, as one client sees them."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from parley_chat.events.kinds import (
    Event,
    MessageDeleted,
    NewMessage,
)
from parley_chat.log.room_log import MAX_REMEMBERED_MESSAGES, RoomLog
from tests.unit.clients.python.log.taking import live


def direct(seq: int, *, deleted: bool = False) -> NewMessage:
    return NewMessage(
        chat_id=1,
        id=seq * 1024,
        seq=seq,
        prev=seq - 1,
        sender_id=7,
        receiver_id="bob",
        deleted=deleted,
    )


def deletion(seq: int, of: int) -> MessageDeleted:
    return MessageDeleted(message_id=of * 1024, seq=seq, prev=seq - 1, chat_id=1)


def entered(head: int = 0) -> RoomLog:
    log = RoomLog("r")
    log.begin(head)
    assert log.release() == []
    return log


def test_a_deletion_takes_a_place() -> None:
    """A deletion is an event of the log: what follows it shows whether it was missed."""
    log = entered(0)
    assert live(log, direct(1))
    assert live(log, deletion(2, 1))
    assert live(log, direct(3))
    assert not live(log, direct(5))
    assert log.behind


def test_a_gap_between_messages_is_one() -> None:
    """History leaves a place out wherever a deletion was: first, in between or at the end."""
    log = entered(1)
    assert not log.has_gap([direct(2), direct(3)], 3)
    assert log.has_gap([direct(3)], 3)
    assert log.has_gap([direct(2), direct(4)], 4)
    assert log.has_gap([direct(2)], 3)
    assert not log.has_gap([direct(2)], None)


def test_a_deletion_that_was_missed_is_found_once() -> None:
    """What was shown and is deleted in the history is told, unless the event itself has come."""
    log = entered(0)
    for seq in (1, 2, 3):
        live(log, direct(seq))
    log.unsettle()
    live(log, deletion(6, 3))
    never_seen = direct(9, deleted=True)
    page = [direct(1, deleted=True), direct(2), direct(3, deleted=True), never_seen]
    assert log.newly_deleted(page) == [1024]
    assert log.newly_deleted(page) == []
    assert log.merge([], 6, cleared=False) == [deletion(6, 3)]
    assert log.release() == []
    assert not live(log, deletion(7, 1))  # of which one was told already
    assert live(log, direct(8))


def test_what_was_deleted_unseen_is_not_shown() -> None:
    """A message deleted before it could be shown takes its place, and neither is told."""
    log = entered(0)
    live(log, deletion(2, 1))
    assert log.merge([direct(1, deleted=True)], 2, cleared=False) == []
    assert log.release() == []
    assert (log.last, log.settled) == (2, True)


def test_a_chat_is_never_cleared() -> None:
    """Where nothing is left of what was seen in a chat, no clearing is told: it knows none."""
    log = RoomLog()
    log.begin(3)
    assert log.merge([], 4, cleared=True) == []


def test_knows_its_messages() -> None:
    """Messages shown, waiting and given as history are known to be of this log, the latest ones."""
    log = entered(0)
    live(log, direct(1))
    live(log, direct(3))
    log.remember([direct(9)])
    assert [log.knows(seq * 1024) for seq in (1, 2, 3, 9)] == [True, False, True, True]
    log.remember([direct(seq) for seq in range(10, 10 + MAX_REMEMBERED_MESSAGES)])
    assert len(log.known) == MAX_REMEMBERED_MESSAGES
    assert not log.knows(1024)


@given(st.data())
def test_each_deletion_once(data: st.DataObject) -> None:
    """Whatever is lost on the way, what was shown and deleted is told to be, once, and no more."""
    log, shown = entered(0), list[Event]()
    told: list[NewMessage | MessageDeleted] = []
    for seq in range(1, data.draw(st.integers(1, 20)) + 1):
        alive = [item.seq for item in history(told) if not item.deleted]
        if data.draw(st.booleans()) and alive:
            of = alive[data.draw(st.integers(0, len(alive) - 1))]
            told.append(deletion(seq, of))
        else:
            told.append(direct(seq))
        arrives = data.draw(st.booleans())
        if arrives and live(log, told[-1]):
            shown.append(told[-1])
        if data.draw(st.integers(0, 2)) == 0:
            log.unsettle()
            shown += read_on(log, told)
    log.unsettle()
    shown += read_on(log, told)
    seen = [event.id for event in shown if isinstance(event, NewMessage)]
    gone = [event.message_id for event in shown if isinstance(event, MessageDeleted)]
    assert seen == sorted(set(seen))
    assert set(seen) >= {item.id for item in history(told) if not item.deleted}
    assert sorted(gone) == sorted(
        item.id for item in history(told) if item.deleted and item.id in seen
    )


def history(told: Sequence[NewMessage | MessageDeleted]) -> list[NewMessage]:
    gone = {event.message_id for event in told if isinstance(event, MessageDeleted)}
    said = [event for event in told if isinstance(event, NewMessage)]
    return [direct(item.seq, deleted=item.id in gone) for item in said]


def read_on(log: RoomLog, told: Sequence[NewMessage | MessageDeleted]) -> list[Event]:
    """What a catch-up shows: deletions of what was seen, then what was missed."""
    last, head = log.last or 0, len(told)
    page = [item for item in history(told) if item.seq > last]
    shown: list[Event] = []
    if log.has_gap(page, head):
        gone = log.newly_deleted([item for item in history(told) if item.seq <= last])
        shown += [MessageDeleted(message_id=message_id) for message_id in gone]
    shown += log.merge(page, head, cleared=False)
    shown += log.release()
    assert log.settled
    return shown
