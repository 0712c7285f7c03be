"""The worst attack on each parser, action, kind of packet and endpoint, and packets at random."""

import os
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.api.actions import EVENTS, REQUESTS
from tests.security.attacks.arena import Arena
from tests.security.attacks.attack import Attack
from tests.security.attacks.catalogue import actions, endpoints, packets
from tests.security.attacks.judge import Judge, row, wander

KINDS = {"packets": packets.attacks, "endpoints": endpoints.attacks, "actions": actions.attacks}
WANDER_SECONDS = 20


@pytest_asyncio.fixture(scope="module")
async def arena() -> AsyncIterator[Arena]:
    """A cluster with honest users at one of its gateways."""
    async with Arena() as running:
        yield running


@pytest.mark.timeout(1800)  # 30 attacks in one test, each tried up to five times
@pytest.mark.parametrize("kind", KINDS)
async def test_worst_attacks(arena: Arena, kind: str) -> None:
    """In a loop, the worst inputs cost others little: time, memory, health checks stay as they are.

    Those who send them are slowed or closed. `make attacks` tries them all.
    """
    judge = Judge(arena)
    worst: list[Attack] = [attack for attack in KINDS[kind]() if attack.worst]
    assert worst
    verdicts = []
    for attack in worst:
        verdicts.append(await judge.judge(attack))
        print(row(verdicts[-1]))
    assert not [verdict for verdict in verdicts if verdict.faults]


def test_all_handlers_are_attacked() -> None:
    """Each action and each REST request of the tables has an attack that stands for it."""
    attacked = {attack.against for attack in actions.attacks() if attack.worst}
    attacked |= {attack.against for attack in endpoints.attacks() if attack.worst}
    assert attacked >= {*EVENTS, *REQUESTS}


async def test_packets_at_random(arena: Arena) -> None:
    """Whatever 20 connections send, a health check answers within a second, and nothing fails."""
    seed = int(os.environ.get("ATTACK_SEED", time.time()))
    faults = await wander(arena, seed, WANDER_SECONDS)
    if faults and all(fault.startswith("health check took") for fault in faults):
        # Other programs have bursts, too: what these packets do, they do again.
        await arena.settle()
        faults = await wander(arena, seed, WANDER_SECONDS)
    assert not faults
