"""`make chaos`: one run of the fault suite, its report and its verdict.

`CHAOS_SEED` repeats a run's choices; without it they are new ones. `CHAOS_MINUTES` makes a long
run, with long pauses among its faults; without it everything is over in less than 4 minutes. The
report goes to `CHAOS_DIR`, `.chaos` unless it says otherwise, beside the cluster's logs and data;
when promises were broken, all that was seen is in `evidence.pickle`. Exit code 0 if the run passed,
1 if promises were broken, 2 if a setting is wrong, 3 if the run proves nothing.
"""

import asyncio
import os
import pickle
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from shared.command_line import command_line
from tests.faults.checker import check
from tests.faults.figures import Figures, figures
from tests.faults.page import page
from tests.faults.picture import Picture
from tests.faults.run import kinds_of, run
from tests.faults.scale import Scale
from tests.faults.table import table
from tests.faults.views import CHECKS

SETTINGS: Final = "CHAOS_SEED, CHAOS_MINUTES and CHAOS_DIR are environment variables."

SHORT: Final = 185.0
"""Seconds of faults in a short run: what comes before and after takes 20 to 40 more."""

BEGINNING: Final = re.compile(r"\d{4}-\d\d-\d\dT")
"""How what is logged begins; a traceback's lines do not."""

EXIT: Final = {"passed": 0, "violated": 1, "invalid": 3}


def main() -> int:
    """Run once; return the exit code."""
    command_line("tests.faults", __doc__, SETTINGS).parse_args()
    try:
        scale = scale_from(os.environ.get("CHAOS_SEED", ""), os.environ.get("CHAOS_MINUTES", ""))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    folder = Path(os.environ.get("CHAOS_DIR") or ".chaos").absolute()
    kinds = kinds_of(scale)
    print(f"seed {scale.seed}: CHAOS_SEED={scale.seed} makes the same choices again", flush=True)
    evidence = asyncio.run(run(scale, kinds, _say, data_dir=folder / "cluster"))
    if evidence.history.failures:
        raise ExceptionGroup("the suite itself failed", evidence.history.failures)
    violations = check(evidence, CHECKS)
    found = figures(scale, [fault.kind for fault in kinds], evidence, violations)
    write(folder, found)
    if found.verdict == "violated":  # to be looked into with the checker's own parts
        (folder / "evidence.pickle").write_bytes(pickle.dumps(evidence))
        print("\n".join(errors_in(folder / "cluster" / "log")))
    print(f"\n{table(found)}\nreport: {folder / 'report.html'}")
    return EXIT[found.verdict]


def scale_from(seed: str, minutes: str) -> Scale:
    """The scale that the environment asks for.

    Raises:
        ValueError: in one sentence, what cannot be used.
    """
    if seed and not seed.isdecimal():
        raise ValueError(f"CHAOS_SEED={seed} is not valid: it must be a whole number")
    number = int(seed) if seed else secrets.randbelow(10**6)
    if not minutes:
        return Scale(seed=number, seconds=SHORT)
    try:
        return Scale(seed=number, seconds=60 * float(minutes), long=True)
    except ValueError:
        raise ValueError(f"CHAOS_MINUTES={minutes} is not valid: it must be a number") from None


def errors_in(folder: Path) -> Iterator[str]:
    """The errors in the logs of a cluster's processes, with tracebacks."""
    for log in sorted(folder.glob("*.log")):
        bad = False
        for line in log.read_text(errors="replace").splitlines():
            if BEGINNING.match(line):
                bad = "[error]" in line or "[critical]" in line
            if bad:
                yield f"{log.stem}: {line}"


def write(folder: Path, found: Figures) -> None:
    """Write the report."""
    (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    (folder / "report.html").write_text(page(found))
    (folder / "timeline.svg").write_text(Picture(found).svg())


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
