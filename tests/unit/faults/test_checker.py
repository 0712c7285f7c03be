"""The checker sees every violation, in made-up runs, and none where there is none."""

import pytest

from shared.broker.partitions.fence import FENCE_GAP
from tests.faults.history import Item
from tests.faults.strike import Strike
from tests.unit.faults.story import ROOM, USERS, Story, event_id, key


@pytest.fixture
async def story() -> Story:
    """Three messages to which nothing happened."""
    made = Story()
    for n in (1, 2, 3):
        made.says(n)
    return made


async def test_a_good_run_has_no_violation(story: Story) -> None:
    """Accepted, durable, stored, shown, read: nothing is wrong."""
    story.reads(1, 2, 3)
    story.sees(2)
    story.sees(3)
    story.operation("seen", seq=3)
    story.evidence.cursors[ROOM, "ann"] = 3
    story.evidence.pages["bob", ROOM] = [
        Item(n, event_id(n), key(n), deleted=False) for n in (1, 2, 3)
    ]
    assert story.violations() == []


async def test_an_accepted_send_that_sql_lacks_is_lost(story: Story) -> None:
    """An answer without a row is a loss."""
    story.accepted(4)
    assert story.kinds() == {"lost"}


async def test_a_send_that_is_void_in_sql_is_lost(story: Story) -> None:
    """A void row does not stand for an accepted send."""
    story.accepted(4)
    story.stored(4, kind="void", key="")
    assert "lost" in story.kinds()


async def test_what_a_fault_may_destroy_is_excused_once_it_was_sent_again(story: Story) -> None:
    """Accepted, destroyed, sent again, stored in a new epoch: nothing is lost in the end."""
    story.accepted(4)
    story.shown("bob", 4)
    story.destroyed(above=3)
    story.told("bob", "reset", 3)
    for n in (1, 2, 3):
        story.shown("bob", n, source="history")
    story.says(4, seq=FENCE_GAP + 4, number=FENCE_GAP + 4)
    assert story.violations() == []


async def test_what_was_durable_is_never_excused(story: Story) -> None:
    """No fault may take what a client was told is durable."""
    story.accepted(4)
    story.durable(4)
    story.destroyed(above=3)
    assert "lost" in story.kinds()


async def test_what_sql_had_before_a_fault_is_never_excused(story: Story) -> None:
    """A number at or below the stored position cannot have been destroyed."""
    story.accepted(4)
    story.destroyed(above=4)
    assert "lost" in story.kinds()


async def test_what_was_sent_after_a_fault_is_never_excused(story: Story) -> None:
    """A fault does not excuse what comes later."""
    story.destroyed(above=3)
    story.accepted(4)
    assert "lost" in story.kinds()


async def test_a_destroyed_send_that_never_came_again_is_lost(story: Story) -> None:
    """A client keeps what is not durable and sends it again: in the end SQL has it."""
    story.accepted(4)
    story.destroyed(above=3)
    assert story.kinds() == {"lost"}


async def test_a_row_that_nobody_sent_is_a_phantom(story: Story) -> None:
    """SQL holds nothing that was not sent."""
    story.stored(9, seq=4)
    assert "phantom" in story.kinds()


async def test_a_message_shown_and_not_stored_is_a_phantom(story: Story) -> None:
    """Clients see nothing that SQL does not have in the end."""
    story.operation("send", key=key(4)).outcome = "unknown"
    story.shown("bob", 4)
    assert "phantom" in story.kinds()


async def test_a_place_with_two_messages_is_reused(story: Story) -> None:
    """A place that a reply gave to one message and SQL to another names two."""
    story.operation("send", key=key(4), seq=3, id=event_id(4))
    assert "reused" in story.kinds()


async def test_a_message_at_two_places_is_there_twice(story: Story) -> None:
    """The same clientMsgId, accepted at a second place, is one message too many."""
    story.operation("send", key=key(3), seq=4, id=event_id(4))
    assert "twice" in story.kinds()


async def test_two_rows_of_one_message_are_one_too_many(story: Story) -> None:
    """SQL has each message once."""
    story.stored(3, seq=4, number=4)
    assert "twice" in story.kinds()


async def test_a_message_that_is_shown_twice_is_noticed(story: Story) -> None:
    """A client gets each message once."""
    story.shown("bob", 3)
    assert story.kinds() == {"twice"}


async def test_messages_out_of_order_are_noticed(story: Story) -> None:
    """A client gets what is earlier in the room first."""
    story.accepted(4)
    story.accepted(5)
    story.stored(4)
    story.stored(5)
    for user in USERS:
        story.shown(user, 5)
        story.shown(user, 4)
    assert story.kinds() == {"order"}


async def test_an_answer_before_a_send_means_a_lower_place(story: Story) -> None:
    """What was sent after an answer stands above what was answered."""
    for n, seq in ((4, 5), (5, 4)):
        story.accepted(n, seq=seq, number=seq)
    for n, seq in ((5, 4), (4, 5)):
        story.stored(n, seq=seq, number=seq)
        for user in USERS:
            story.shown(user, n, seq=seq, number=seq)
    assert story.kinds() == {"order"}


async def test_a_view_that_lacks_a_message_is_noticed(story: Story) -> None:
    """A hole that nobody filled is found in the end."""
    story.accepted(4)
    story.stored(4)
    story.shown("ann", 4)
    assert story.kinds() == {"missing"}


async def test_a_history_without_what_was_answered_is_stale(story: Story) -> None:
    """What was answered before a history was asked for is in it."""
    story.reads(1, 2)
    assert story.kinds() == {"stale"}


async def test_a_history_is_held_only_to_what_it_covers(story: Story) -> None:
    """A page says nothing of what is outside of it."""
    story.reads(3, covers=(3, 2**53))
    assert story.violations() == []


async def test_a_last_history_that_lacks_a_message_is_noticed(story: Story) -> None:
    """The whole history, read in the end, is what SQL has."""
    story.evidence.pages["bob", ROOM] = [Item(1, event_id(1), key(1), deleted=False)]
    assert story.kinds() == {"missing"}


async def test_a_deletion_is_taken_by_all(story: Story) -> None:
    """A deleted message is gone from rows and views, and nothing is wrong."""
    delete(story, 2)
    for user in USERS:
        story.told(user, "deleted", 4, str(event_id(2)))
    assert story.violations() == []


async def test_a_deleted_message_that_returns_is_noticed(story: Story) -> None:
    """A history after a deletion does not show what was deleted."""
    delete(story, 2)
    for user in USERS:
        story.told(user, "deleted", 4, str(event_id(2)))
    story.reads(1, 2, 3)
    assert story.kinds() == {"undeleted"}


async def test_a_deletion_that_a_client_missed_is_noticed(story: Story) -> None:
    """A view that still has what SQL deleted has too much."""
    delete(story, 2)
    story.told("ann", "deleted", 4, str(event_id(2)))
    assert story.kinds() == {"extra"}


async def test_a_deletion_that_was_accepted_is_stored(story: Story) -> None:
    """An accepted deletion that SQL lacks is lost."""
    story.operation("delete", key=str(event_id(2)))
    assert story.kinds() == {"lost"}


def delete(story: Story, n: int) -> None:
    """Ann deletes a message: accepted and stored, as event 4."""
    story.operation("delete", key=str(event_id(n)))
    rows = story.evidence.rows
    rows[n - 1] = rows[n - 1]._replace(deleted=True, content="")
    story.stored(4, kind="delete", key="", content="", target=event_id(n))


async def test_a_seen_mark_that_goes_back_is_noticed(story: Story) -> None:
    """Nobody hears a cursor go back."""
    story.sees(3)
    story.sees(2)
    assert story.kinds() == {"seen"}


async def test_a_seen_mark_that_was_destroyed_may_go_back(story: Story) -> None:
    """A fault that destroys what Redis held may take a cursor's last moves: clients are told."""
    story.marks(3)
    story.sees(3)
    story.destroyed(above=3, seen=2)
    story.doubts()
    story.sees(2)
    assert story.violations() == []


async def test_a_destroyed_mark_may_be_heard_after_the_fault(story: Story) -> None:
    """When a client heard it says nothing: it was on its way while the fault took it."""
    story.marks(3)
    story.destroyed(above=3, seen=2)
    story.sees(3)
    story.doubts()
    story.sees(2)
    assert story.violations() == []


async def test_a_mark_that_goes_back_untold_is_noticed(story: Story) -> None:
    """A fault excuses nothing to whoever was not told of a loss, or before it only."""
    story.marks(3)
    story.sees(3)
    story.doubts()
    story.destroyed(above=3, seen=2)
    story.sees(2)
    assert story.kinds() == {"seen"}


async def test_an_old_mark_after_a_loss_was_told_is_noticed(story: Story) -> None:
    """What a client hears after it was told of a loss does not go back any more."""
    story.marks(3)
    story.sees(3)
    story.destroyed(above=3, seen=2)
    story.doubts()
    story.sees(3)
    story.sees(2)
    assert story.kinds() == {"seen"}


async def test_a_mark_that_sql_had_never_goes_back(story: Story) -> None:
    """No fault takes a mark that was stored, whatever clients are told."""
    story.marks(3)
    story.sees(3)
    story.destroyed(above=3, seen=3)
    story.doubts()
    story.sees(2)
    assert story.kinds() == {"seen"}


async def test_a_mark_after_a_fault_never_goes_back(story: Story) -> None:
    """What was marked after a fault was over it did not take."""
    story.destroyed(above=3, seen=2)
    story.marks(3)
    story.sees(3)
    story.doubts()
    story.sees(2)
    assert story.kinds() == {"seen"}


async def test_a_later_fault_excuses_no_mark_that_an_earlier_one_left(story: Story) -> None:
    """A mark that outlived a fault does not go back with another that destroys nothing."""
    story.marks(3)
    story.destroyed(above=3, seen=2)
    story.doubts()
    story.sees(3)
    story.harmless()
    story.doubts()
    story.sees(2)
    assert story.kinds() == {"seen"}


async def test_a_seen_mark_that_sql_lacks_is_noticed(story: Story) -> None:
    """The cursor ends at the highest that was accepted."""
    story.operation("seen", seq=3)
    story.harmless()
    story.evidence.cursors[ROOM, "ann"] = 2
    assert story.kinds() == {"seen"}


async def test_a_mark_of_what_was_destroyed_is_at_the_last_before_it(story: Story) -> None:
    """Who marks a message that a fault destroyed has seen what is left below it."""
    story.operation("seen", seq=4)
    story.harmless()
    story.evidence.cursors[ROOM, "ann"] = 3
    assert story.violations() == []


async def test_a_fault_after_which_not_all_is_well_is_noticed(story: Story) -> None:
    """What did not heal is told."""
    story.evidence.strikes.append(Strike("kill -9 Redis", healed={"back": 1.0, "accepted": 1.0}))
    assert story.kinds() == {"unhealed"}


async def test_a_fault_that_was_left_out_need_not_heal(story: Story) -> None:
    """Where it did not strike there is nothing to heal."""
    story.evidence.strikes.append(Strike("a clock", left_out="no libfaketime"))
    assert story.violations() == []


async def test_a_refusal_for_good_is_noticed(story: Story) -> None:
    """What was rightly asked is only ever refused for now."""
    asked = story.operation("seen", seq=1)
    asked.outcome, asked.error = "failed", "for good: internal"
    assert story.kinds() == {"refused"}


async def test_what_the_run_found_is_told(story: Story) -> None:
    """Findings of the run itself are violations."""
    story.finding("presence")
    assert story.kinds() == {"presence"}
