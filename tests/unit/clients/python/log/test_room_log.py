"""A room as one client sees it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_chat.connection.wire import Frame
from parley_chat.events.kinds import Event, HistoryCleared, Message, UnknownEvent
from parley_chat.events.location import LocatedEvent, location_of
from parley_chat.events.reading import event_of
from parley_chat.log.room_log import MAX_WAITING_EVENTS, RoomLog
from tests.unit.clients.python.log.taking import live


def message(seq: int, prev: int | None = None) -> Message:
    return Message(room="r", id=seq * 1024, seq=seq, prev=seq - 1 if prev is None else prev)


def entered(head: int = 0) -> RoomLog:
    log = RoomLog("r")
    log.begin(head)
    assert log.release() == []
    return log


def seqs(events: Sequence[Event]) -> list[int]:
    messages = [event for event in events if isinstance(event, Message)]
    assert len(messages) == len(events)
    return [message.seq for message in messages]


def take(log: RoomLog, frame: Frame) -> bool:
    """Take what a frame of a log brings; return whether it is to be shown now."""
    at = location_of(frame)
    assert at is not None
    return log.live(LocatedEvent(at, event_of(frame)))


KINDS = ("message", "deleteMessages", "kicked", "skipped", "of next year", "notification")
"""Known and unknown kinds, and one that had no place in the log so far."""


def test_shows_what_follows_at_once() -> None:
    """In a settled room a live event that follows the last one is shown, and only once."""
    log = entered(4)
    assert live(log, message(5))
    assert not live(log, message(5))
    assert not live(log, message(3))
    assert live(log, message(6))


def test_waits_before_it_is_entered() -> None:
    """What comes before the reply to the join waits for it; what the history had is dropped."""
    log = RoomLog("r")
    assert not live(log, message(4))
    assert not live(log, message(5))
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
    assert not live(log, message(3))
    assert not live(log, message(4))
    assert log.behind
    assert not log.settled
    assert seqs(log.merge([message(2)], None, cleared=False)) == [2]
    assert seqs(log.release()) == [3, 4]
    assert log.settled


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_its_place(kind: str) -> None:
    """An event that follows the last one is shown and takes its place, whatever it is."""
    log = entered(1)
    frame = Frame(kind, {"seq": 2, "prev": 1}, room="r")
    assert take(log, frame)
    assert not take(log, frame)
    assert log.last == 2
    assert live(log, message(3))
    assert not log.behind


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_shows_a_hole(kind: str) -> None:
    """An event whose predecessor is missing waits at its place, whatever it is."""
    log = entered(1)
    frame = Frame(kind, {"room": "r", "seq": 3, "prev": 2})
    assert not take(log, frame)
    assert not live(log, message(4))
    assert log.behind
    assert seqs(log.merge([message(2)], None, cleared=False)) == [2]
    assert log.release() == [event_of(frame), message(4)]
    assert log.settled


def test_numbers_may_leap() -> None:
    """After the broker lost data numbers leap, and an event whose `prev` was seen follows."""
    log = entered(7)
    assert live(log, message(1_000_005, prev=5))
    assert log.last == 1_000_005


def test_history_and_live_overlap() -> None:
    """What both history and the wait have is shown once, at its place."""
    log = entered(0)
    log.unsettle()
    live(log, message(2))
    live(log, message(4))
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
    edited = UnknownEvent(name="edited", room="r", seq=7, prev=6)
    live(log, cleared)
    live(log, edited)
    shown = log.merge([message(6), message(8)], 8, cleared=True)
    assert shown[-4:] == [cleared, message(6), edited, message(8)]


def test_what_waits_is_bounded() -> None:
    """Beyond the bound events are left to history, and the room stays unsettled until it came."""
    log = entered(0)
    log.unsettle()
    for seq in range(1, MAX_WAITING_EVENTS + 3):
        live(log, message(seq))
    assert len(log.release()) == MAX_WAITING_EVENTS
    assert not log.settled
    rest = [message(MAX_WAITING_EVENTS + 1), message(MAX_WAITING_EVENTS + 2)]
    log.merge(rest, rest[-1].seq, cleared=False)
    log.release()
    assert log.settled


def test_what_history_never_has_is_shown_all_the_same() -> None:
    """Behind a hole that cannot be closed, what waits is shown in the end."""
    log = entered(1)
    live(log, message(9))
    assert log.release() == []
    assert seqs(log.release(force=True)) == [9]
    assert log.settled


def test_a_clearing_is_told_once() -> None:
    """A place left out behind messages is no second clearing: they would be gone with it."""
    log = entered(3)
    log.unsettle()
    page = [message(5), message(7)]
    shown = log.merge(page, 7, cleared=True)
    assert shown == [HistoryCleared(room="r", seq=4, prev=3), *page]


@given(st.data())
def test_each_message_once_in_order(data: st.DataObject) -> None:
    """Whatever is lost, doubled or late on the way, each message is shown once, in order."""
    head = data.draw(st.integers(1, 30))
    start = data.draw(st.integers(0, head))
    arriving = data.draw(st.lists(st.integers(1, head), max_size=40))
    log, shown = entered(start), list[int]()
    for seq in arriving:
        if live(log, message(seq)):
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
