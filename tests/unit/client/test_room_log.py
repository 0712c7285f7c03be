"""A room as one client sees it."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from gateway.client.events import (
    Event,
    HistoryCleared,
    Message,
    MessageDeleted,
    NewMessage,
    Other,
    Placed,
)
from gateway.client.room_log import MOST_KNOWN, MOST_WAITING, RoomLog


def message(seq: int, prev: int | None = None) -> Message:
    return Message(room="r", id=seq * 1024, seq=seq, prev=seq - 1 if prev is None else prev)


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


def seqs(events: Sequence[Placed]) -> list[int]:
    return [event.seq for event in events]


def test_shows_what_follows_at_once() -> None:
    """In a settled room a live event that follows the last one is shown, and only once."""
    log = entered(4)
    assert log.live(message(5))
    assert not log.live(message(5))
    assert not log.live(message(3))
    assert log.live(message(6))


def test_waits_before_it_is_entered() -> None:
    """What comes before the reply to the join waits for it; what the history had is dropped."""
    log = RoomLog("r")
    assert not log.live(message(4))
    assert not log.live(message(5))
    log.begin(4)
    assert seqs(log.release()) == [5]
    assert log.settled


def test_entering_again_goes_on_from_where_it_was() -> None:
    """A second reply to a join does not move the last place seen."""
    log = entered(4)
    log.begin(9)
    assert log.last == 4


def test_notices_a_hole() -> None:
    """An event whose predecessor is missing waits, and with it everything behind it."""
    log = entered(1)
    assert not log.live(message(3))
    assert not log.live(message(4))
    assert log.behind
    assert not log.settled
    assert seqs(log.merge([message(2)], None, cleared=False)) == [2]
    assert seqs(log.release()) == [3, 4]
    assert log.settled


def test_numbers_may_leap() -> None:
    """After the broker lost data numbers leap, and an event whose `prev` was seen follows."""
    log = entered(7)
    assert log.live(message(1_000_005, prev=5))
    assert log.last == 1_000_005


def test_history_and_live_overlap() -> None:
    """What both history and the wait have is shown once, at its place."""
    log = entered(0)
    log.unsettle()
    log.live(message(2))
    log.live(message(4))
    assert seqs(log.merge([message(1), message(2), message(3)], 3, cleared=False)) == [1, 2, 3]
    assert seqs(log.release()) == [4]


def test_a_place_left_out_is_a_clearing() -> None:
    """Where history leaves a place out, and everything before is gone, the room was cleared."""
    log = entered(3)
    log.unsettle()
    page = [message(6, prev=5)]
    assert log.has_gap(page, 6)
    shown = log.merge(page, 6, cleared=True)
    assert shown == [HistoryCleared(room="r", seq=5, prev=3), message(6)]


def test_a_clearing_at_the_end_is_one_too() -> None:
    """A clearing that nothing follows shows in the head alone."""
    log = entered(3)
    log.unsettle()
    assert log.has_gap([], 4)
    assert log.merge([], 4, cleared=True) == [HistoryCleared(room="r", seq=4, prev=3)]
    assert not log.has_gap([], 4)


def test_a_place_left_out_may_be_another_event() -> None:
    """A place that no clearing explains is passed over: the event there was no message."""
    log = entered(3)
    log.unsettle()
    assert log.merge([message(5)], 5, cleared=False) == [message(5)]
    assert log.last == 5


def test_a_place_left_out_may_have_come_live() -> None:
    """An event that history does not have is shown at its place if it came live meanwhile."""
    log = entered(3)
    log.unsettle()
    cleared = HistoryCleared(room="r", seq=5, prev=4)
    edited = Other(name="edited", room="r", seq=7, prev=6)
    log.live(cleared)
    log.live(edited)
    shown = log.merge([message(6), message(8)], 8, cleared=True)
    assert shown[-4:] == [cleared, message(6), edited, message(8)]


def test_what_waits_is_bounded() -> None:
    """Beyond the bound events are left to history, and the room stays unsettled until it came."""
    log = entered(0)
    log.unsettle()
    for seq in range(1, MOST_WAITING + 3):
        log.live(message(seq))
    assert len(log.release()) == MOST_WAITING
    assert not log.settled
    rest = [message(MOST_WAITING + 1), message(MOST_WAITING + 2)]
    log.merge(rest, rest[-1].seq, cleared=False)
    log.release()
    assert log.settled


def test_what_history_never_has_is_shown_all_the_same() -> None:
    """Behind a hole that cannot be closed, what waits is shown in the end."""
    log = entered(1)
    log.live(message(9))
    assert log.release() == []
    assert seqs(log.release(anyhow=True)) == [9]
    assert log.settled


def test_a_clearing_is_told_once() -> None:
    """A place left out behind messages is no second clearing: they would be gone with it."""
    log = entered(3)
    log.unsettle()
    page = [message(5), message(7)]
    shown = log.merge(page, 7, cleared=True)
    assert shown == [HistoryCleared(room="r", seq=4, prev=3), *page]


def test_a_deletion_takes_a_place() -> None:
    """A deletion is an event of the log: what follows it shows whether it was missed."""
    log = entered(0)
    assert log.live(direct(1))
    assert log.live(deletion(2, 1))
    assert log.live(direct(3))
    assert not log.live(direct(5))
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
        log.live(direct(seq))
    log.unsettle()
    log.live(deletion(6, 3))
    never_seen = direct(9, deleted=True)
    page = [direct(1, deleted=True), direct(2), direct(3, deleted=True), never_seen]
    assert log.newly_deleted(page) == [1024]
    assert log.newly_deleted(page) == []
    assert log.merge([], 6, cleared=False) == [deletion(6, 3)]
    assert log.release() == []
    assert not log.live(deletion(7, 1))  # of which one was told already
    assert log.live(direct(8))


def test_what_was_deleted_unseen_is_not_shown() -> None:
    """A message deleted before it could be shown takes its place, and neither is told."""
    log = entered(0)
    log.live(deletion(2, 1))
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
    log.live(direct(1))
    log.live(direct(3))
    log.remember([direct(9)])
    assert [log.knows(seq * 1024) for seq in (1, 2, 3, 9)] == [True, False, True, True]
    log.remember([direct(seq) for seq in range(10, 10 + MOST_KNOWN)])
    assert log.known == MOST_KNOWN
    assert not log.knows(1024)


@given(st.data())
def test_each_message_once_in_order(data: st.DataObject) -> None:
    """Whatever is lost, doubled or late on the way, each message is shown once, in order."""
    head = data.draw(st.integers(1, 30))
    start = data.draw(st.integers(0, head))
    arriving = data.draw(st.lists(st.integers(1, head), max_size=40))
    log, shown = entered(start), list[int]()
    for seq in arriving:
        if log.live(message(seq)):
            shown.append(seq)
        elif log.behind and data.draw(st.booleans()):
            shown += catch_up(log, data.draw(st.integers(seq, head)))
    log.unsettle()
    shown += catch_up(log, head)
    assert shown == list(range(start + 1, head + 1))
    assert log.settled


def catch_up(log: RoomLog, head: int) -> list[int]:
    assert log.last is not None
    page = [message(seq) for seq in range(log.last + 1, head + 1)]
    shown = seqs(log.merge(page, head, cleared=False))
    return shown + seqs(log.release())


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
        if arrives and log.live(told[-1]):
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
