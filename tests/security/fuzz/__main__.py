"""Let atheris look for bytes that a decoder cannot take: `make fuzz`.

A process for each target. What it found worth keeping stays in `.fuzz/TARGET`, so that the next
run goes on from there; bytes that broke it are in a file `.fuzz/TARGET-crash-...`.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from shared.command_line import command_line
from tests.security.fuzz.samples import SAMPLES
from tests.security.fuzz.targets import TARGETS

SECONDS: Final = 600
"""For all targets together."""

FOLDER: Final = Path(".fuzz")

SETTINGS: Final = f"FUZZ_SECONDS is an environment variable, {SECONDS} unless set."


def fuzz(name: str, seconds: float) -> bool:
    """Fuzz a target in a process of its own; whether it took everything."""
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(SAMPLES[name]):
        (corpus / f"sample-{number}").write_bytes(sample)
    print(f"{name}: {seconds:.0f} s", flush=True)
    ended = subprocess.run(
        (
            *(sys.executable, "-m", "tests.security.fuzz.worker", name, str(corpus)),
            *(f"-max_total_time={seconds:.0f}", "-max_len=70000", "-timeout=20"),
            *("-rss_limit_mb=1024", f"-artifact_prefix={FOLDER / name}-", "-print_final_stats=1"),
        ),
        check=False,
    )
    return ended.returncode == 0


def main() -> int:
    """Fuzz one target after the other, or those that are named; 1 if one failed."""
    parser = command_line("tests.security.fuzz", __doc__, SETTINGS)
    parser.add_argument(
        "targets", metavar="TARGET", nargs="*", help=f"all, or some of {', '.join(TARGETS)}"
    )
    names = parser.parse_args().targets or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        parser.error(f"unknown targets: {', '.join(unknown)}")
    seconds = float(os.environ.get("FUZZ_SECONDS") or SECONDS) / len(names)
    failed = [name for name in names if not fuzz(name, seconds)]
    print(f"failed: {', '.join(failed)}" if failed else f"{len(names)} targets took everything")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
