"""When a process is started again."""

from deploy.processes.restarts import RestartPolicy


def test_deaths_in_a_row_are_answered_more_and_more_slowly() -> None:
    """The first restart is at once, the next ones back off, and the sixth death is the last."""
    policy = RestartPolicy(30)
    assert [policy.delay_after(0.1) for _ in range(6)] == [0, 0.5, 1, 2, 4, None]


def test_a_process_that_was_well_starts_afresh() -> None:
    """A life of 30 seconds makes the next death a first one again."""
    policy = RestartPolicy(30)
    for _ in range(5):
        policy.delay_after(29.9)
    assert policy.delay_after(30) == 0
    assert policy.delay_after(1) == 0.5
