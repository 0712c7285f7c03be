"""A defence that is taken out, and the tests that must notice."""

from dataclasses import dataclass

from tests.faults.sources import Change


@dataclass(frozen=True)
class Mutation:
    """A defence taken out.

    Attributes:
        defence: its name in the tables of docs/topics/security.md.
        changes: what takes it out.
        tests: pytest's ids of tests, each of which must fail without it. An id without parameters
            stands for all of them, of which one must fail.
        fails_by: names of exceptions by which these tests fail, beside those of an assertion.
    """

    defence: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]
    fails_by: tuple[str, ...] = ()


def without(
    defence: str, file: str, old: str, new: str, *tests: str, fails_by: tuple[str, ...] = ()
) -> Mutation:
    """Make a mutation of one change."""
    return Mutation(defence, (Change(file, old, new),), tests, fails_by)
