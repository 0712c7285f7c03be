"""Attackers who send packets of every kind at random, in a process of their own.

They are told on standard input as those of `attacker` are. The attack that they are told names the
number of connections; its name is the seed of all choices.
"""

import asyncio
import contextlib
import random
import sys
from collections import Counter, defaultdict
from typing import Final

import msgspec

from shared.command_line import command_line
from tests.security.attacks import catalogue
from tests.security.attacks.attack import Attack, Door, Fared, Order
from tests.security.attacks.attacker import Attacker, report
from tests.support.priority import take_lowest_priority

PIECES: Final = 12
"""Pieces that are sent in one visit."""
MAX_VISIT_SECONDS: Final = 3.0
MAX_CHANGES: Final = 4
"""Places at which a piece is changed."""


class Wanderer:
    """One connection after the other, each through another door, with pieces of any attack.

    Args:
        order: what the attackers are told.
        number: of the connection, counted from 0.
        fared: how they fared.
    """

    def __init__(self, order: Order, number: int, fared: Fared) -> None:
        self._random = random.Random(f"{order.attack.name} {number}")  # noqa: S311  as told
        self._attacker = Attacker(order, number, fared)
        self._order = order
        self._number = number

    async def wander(self, attacks: dict[Door, list[Attack]]) -> None:
        """Go on until the task is cancelled."""
        choose = self._random
        while True:
            door = choose.choice(list(attacks))
            attack = msgspec.structs.replace(
                choose.choice(attacks[door]),
                reads=choose.random() < 0.8,
                lingers=choose.random() < 0.2,
            )
            chosen = [choose.choice(choose.choice(attacks[door]).pieces) for _ in range(PIECES)]
            pieces = self._order.pieces(self._number, tuple(map(self._changed, chosen)))
            opening = self._order.pieces(self._number, attack.opening)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(choose.uniform(0.1, MAX_VISIT_SECONDS)):
                    await self._attacker.visit(attack, opening, pieces)
            await asyncio.sleep(0)

    def _changed(self, piece: bytes) -> bytes:
        """The piece as it is, or with some bytes taken out, put in or replaced."""
        choose, found = self._random, bytearray(piece)
        for _ in range(choose.randrange(MAX_CHANGES + 1)):
            start = choose.randrange(len(found) + 1)
            end = min(len(found), start + choose.randrange(8))
            found[start:end] = choose.randbytes(choose.randrange(8))
        return bytes(found) or b"\0"


async def main() -> None:
    """Hold as many connections as told."""
    take_lowest_priority()
    line = await asyncio.to_thread(sys.stdin.buffer.readline)
    order = msgspec.json.decode(line, type=Order)
    attacks: defaultdict[Door, list[Attack]] = defaultdict(list)
    for attack in catalogue.attacks():
        attacks[attack.door].append(attack)
    fared = Fared(ended=Counter())

    async def wander() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(order.attack.connections):
                group.create_task(Wanderer(order, number, fared).wander(attacks))

    await report(wander(), fared)


if __name__ == "__main__":
    command_line("tests.security.attacks.wanderer", __doc__).parse_args()
    asyncio.run(main())
