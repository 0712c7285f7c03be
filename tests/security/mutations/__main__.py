"""`make security-mutations`: a check that each defence has a test that fails without it.

Each mutation takes one defence of docs/topics/security.md out of a copy of the sources, and the
tests that are named for it must fail there. They must pass on a copy without a change. Exit code 0
only if every mutation was caught.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from shared.command_line import command_line
from tests.security.mutations.mutation import Mutation
from tests.security.mutations.table import MUTATIONS
from tests.security.mutations.trial import Trial, run_unchanged, try_mutation

EPILOG = "A whole run takes hours on two cores, as most tests start clusters."


def main() -> int:
    """Try every mutation that is asked for; return the exit code."""
    parser = command_line("tests.security.mutations", __doc__, EPILOG)
    parser.add_argument("--list", action="store_true", help="list the defences and their tests")
    parser.add_argument(
        "--only", metavar="NAME", action="append", help="a defence to take out; may be repeated"
    )
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time (default: 1)")
    given = parser.parse_args()
    chosen = _chosen(parser, given.only)
    if given.list:
        for mutation in chosen:
            print(mutation.defence, *mutation.tests, sep="\n  ")
        return 0
    failing = _failing_without_a_change(chosen)
    return _report(chosen, failing, max(1, given.jobs))


def _chosen(parser: argparse.ArgumentParser, only: list[str] | None) -> Sequence[Mutation]:
    if not only:
        return MUTATIONS
    unknown = set(only) - {mutation.defence for mutation in MUTATIONS}
    if unknown:
        parser.error(f"no mutation is named {min(unknown)!r}: --list lists them")
    return [mutation for mutation in MUTATIONS if mutation.defence in only]


def _failing_without_a_change(chosen: Sequence[Mutation]) -> frozenset[str]:
    """Run each test once on a copy of the sources as they are; return those that do not pass."""
    tests = list(dict.fromkeys(test for mutation in chosen for test in mutation.tests))
    print(f"{len(tests)} tests on the sources as they are", flush=True)
    run = run_unchanged(tests)
    failing = frozenset(test for test in tests if run.outcomes.get(test) != "passed")
    if failing:
        print(
            "they do not pass as they are:", *sorted(failing), *run.said, sep="\n    ", flush=True
        )
    return failing


def _report(chosen: Sequence[Mutation], failing: frozenset[str], jobs: int) -> int:
    missed = []
    with ThreadPoolExecutor(jobs) as pool:
        trials = pool.map(partial(_try, failing=failing), chosen)
        for mutation, trial in zip(chosen, trials, strict=True):
            if trial.verdict != "caught":
                missed.append(f"{trial.verdict}: {mutation.defence}")
    print(f"\n{len(chosen) - len(missed)} of {len(chosen)} mutations caught")
    print(*missed, sep="\n", end="\n" if missed else "")
    return 1 if missed else 0


def _try(mutation: Mutation, failing: frozenset[str]) -> Trial:
    """Try a mutation, unless a test of it fails anyway, and say at once what was found."""
    if failing.intersection(mutation.tests):
        trial = Trial("broken", 0.0, ("a test of it does not pass on the sources as they are",))
    else:
        try:
            trial = try_mutation(mutation)
        except subprocess.TimeoutExpired as error:
            trial = Trial("broken", error.timeout, ("its tests did not end in time",))
    line = f"{time.strftime('%H:%M:%S')} {trial.verdict}: {mutation.defence}"
    details = (f"    {each}" for each in trial.details)
    print(f"{line} ({trial.seconds:.0f} s)", *details, sep="\n", flush=True)
    return trial


if __name__ == "__main__":
    sys.exit(main())
