"""What strikes when, and what a run is worth."""

from itertools import islice

from tests.faults import run
from tests.faults.figures import figures
from tests.faults.run import kinds_of, schedule
from tests.faults.scale import Scale
from tests.faults.strike import Strike
from tests.faults.table import table
from tests.unit.faults.story import Story

SHORT = Scale(seed=1, seconds=1)
LONG = Scale(seed=1, seconds=1, long=True)


def test_every_kind_strikes_once_before_any_strikes_again() -> None:
    """Whatever the seed, the first round has each kind once; the same seed, the same order."""
    kinds = kinds_of(SHORT)
    for seed in range(10):
        first = list(islice(schedule(kinds, seed), len(kinds)))
        assert {fault.kind for fault in first} == {fault.kind for fault in kinds}
        assert first == list(islice(schedule(kinds, seed), len(kinds)))


def test_a_short_run_has_time_for_every_kind() -> None:
    """A short run leaves out long pauses, and the rest fits into the time it takes."""
    short, long = kinds_of(SHORT), kinds_of(LONG)
    assert {fault.kind for fault in long} > {fault.kind for fault in short}
    peace = run.BETWEEN[1] * len(short)
    assert sum(fault.seconds for fault in short) + peace < 180


async def test_a_run_in_which_most_sends_failed_proves_nothing() -> None:
    """Fewer good sends than half make a run invalid, not passed."""
    story = Story()
    story.says(1)
    for _ in range(2):
        story.operation("send", key="ann.2").outcome = "failed"
    assert figures(SHORT, [], story.evidence, []).verdict == "invalid"


async def test_a_fault_that_hit_nothing_proves_nothing() -> None:
    """A kind of fault that found nothing in flight makes a run invalid."""
    story = Story()
    story.says(1)
    strike = Strike("FLUSHALL", begun=2.0, over=2.0)
    story.evidence.strikes.append(strike)
    assert figures(SHORT, ["FLUSHALL"], story.evidence, []).verdict == "invalid"
    strike.hit = 1
    assert figures(SHORT, ["FLUSHALL"], story.evidence, []).verdict == "passed"


async def test_a_run_without_time_for_its_faults_proves_nothing() -> None:
    """A kind there was no time for is named; without time for half of them a run is invalid."""
    story = Story()
    story.says(1)
    story.evidence.strikes.append(Strike("FLUSHALL", begun=2.0, over=2.0, hit=1))
    found = figures(SHORT, ["FLUSHALL", "SCRIPT FLUSH"], story.evidence, [])
    assert found.verdict == "passed"
    assert found.faults[1].left_out == "there was no time for it"
    kinds = ["FLUSHALL", "SCRIPT FLUSH", "kill -9 Redis"]
    assert figures(SHORT, kinds, story.evidence, []).verdict == "invalid"


async def test_a_fault_that_cannot_be_done_here_is_named() -> None:
    """A kind that was left out is called so, with the reason, and counts as no strike."""
    story = Story()
    story.says(1)
    story.evidence.strikes.append(Strike("Redis's clock an hour off", left_out="no libfaketime"))
    found = figures(SHORT, ["Redis's clock an hour off"], story.evidence, [])
    assert found.faults[0].strikes == 0
    assert "left out" in table(found)
    assert "no libfaketime" in table(found)


async def test_what_was_broken_is_told() -> None:
    """Violations make the verdict, and are told in words."""
    story = Story()
    story.accepted(1)
    found = figures(SHORT, [], story.evidence, story.violations())
    assert found.verdict == "violated"
    assert "ann.1 at 1 in general" in table(found)
