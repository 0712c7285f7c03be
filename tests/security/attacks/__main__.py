"""All attacks against a cluster, a table of what they did, and a verdict.

The exit code is 1 if others noticed one of them more than they may.
"""

import asyncio
import sys
import time
from pathlib import Path

from shared.command_line import command_line
from tests.security.attacks import catalogue
from tests.security.attacks.arena import Arena
from tests.security.attacks.judge import HEAD, ROUNDS, WANDERERS, Judge, Verdict, row, wander
from tests.support.process import ROOT


async def run(root: Path, words: list[str], rounds: int, *, only_worst: bool) -> list[Verdict]:
    """Run the attacks whose names hold one of the words; print a line for each."""
    chosen = catalogue.worst() if only_worst else catalogue.attacks()
    todo = [
        attack
        for attack in chosen
        if not words or any(word.casefold() in attack.name.casefold() for word in words)
    ]
    print(f"{len(todo)} attacks\n{HEAD}", flush=True)
    verdicts: list[Verdict] = []
    while todo:
        async with Arena(root) as arena:
            judge = Judge(arena)
            while todo:
                try:
                    verdicts.append(await judge.judge(todo[0], rounds))
                except AssertionError:
                    print("this cluster does not get over it: the next attack gets another one")
                    break
                print(row(verdicts[-1]), flush=True)
                del todo[0]
    return verdicts


async def soak(root: Path, minutes: float, seed: int) -> int:
    """Send packets of every kind at random; return the exit code."""
    print(f"{WANDERERS} connections for {minutes:g} minutes, seed {seed}", flush=True)
    async with Arena(root) as arena:
        faults = await wander(arena, seed, minutes * 60)
    for fault in faults:
        print(f"  ** {fault}")
    return int(bool(faults))


def main() -> None:
    """Run what the command line says."""
    parser = command_line("tests.security.attacks", __doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="parts of names; all if none")
    parser.add_argument("--worst", action="store_true", help="only one for each parser and handler")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="of an attack that seems to work"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout to attack")
    parser.add_argument(
        "--soak", type=float, metavar="MINUTES", help="only packets of every kind at random"
    )
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of all random choices")
    given = parser.parse_args()
    if given.soak:
        sys.exit(asyncio.run(soak(given.root, given.soak, given.seed)))
    verdicts = asyncio.run(run(given.root, given.words, given.rounds, only_worst=given.worst))
    failed = [verdict for verdict in verdicts if verdict.faults]
    print(f"\n{len(verdicts) - len(failed)} of {len(verdicts)} attacks were held off")
    for verdict in sorted(failed, key=lambda each: each.badness, reverse=True):
        print(f"  {verdict.attack}: {', '.join(verdict.faults)}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
