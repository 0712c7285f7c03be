"""When a process is started again."""

from deploy.processes.restarts import RestartPolicy


def test_a_process_that_never_came_up_is_given_up() -> None:
    """The first restart is at once, the next ones back off, and the sixth failure is the last."""
    policy = RestartPolicy()
    assert [policy.pause_after_failure() for _ in range(6)] == [0, 0.5, 1, 2, 4, None]


def test_a_process_that_came_up_is_never_given_up() -> None:
    """The pauses grow up to 15 s and stay there, however often the process ends."""
    policy = RestartPolicy()
    policy.came_up = True
    assert [policy.pause_after_failure() for _ in range(9)] == [0, 0.5, 1, 2, 4, 8, 15, 15, 15]


def test_a_process_that_ran_well_starts_afresh() -> None:
    """After a good run the next failure is a first one again."""
    policy = RestartPolicy()
    for _ in range(5):
        policy.pause_after_failure()
    policy.ran_well()
    assert policy.pause_after_failure() == 0
