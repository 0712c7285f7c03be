"""The verdict on an attack, by what others notice of it."""

import time
from typing import Final

import msgspec

from gateway.connections.intake import ADDRESS_SHARE
from shared.config import Settings
from tests.security.attacks.arena import Arena, Measured, spinning
from tests.security.attacks.attack import MAX_RATIO, Attack, Fared

REST_SECONDS: Final = 3.0
REST_HOLDS_SECONDS: Final = 40.0
"""For how long it counts; an attack that seems to work is compared with a new one."""
WARM_UP_SECONDS: Final = 1.0
"""Until what a connection may send at once is used up."""
ATTACK_SECONDS: Final = 2.0
ROUNDS: Final = 5
"""Of an attack, before it counts as one that works: other programs have bursts, too."""

MAX_MESSAGES: Final = 100.0
"""Honest messages a second: an attacking connection costs the cluster no more processor time than
these do, whatever the machine. It is what five users may say who all say what they may."""
NOISE_SECONDS: Final = 0.010
"""A p99 at rest that is shorter counts as this. In quiet runs of one cluster after the other it was
7 to 11 ms, of 150 messages each time: the second longest wait for a disk."""
MAX_HEALTH_SECONDS: Final = 1.0
MAX_GROWTH: Final = 48 * 2**20
"""Bytes that a process may grow by, and a MiB for each connection: the outbox of its client."""
MAX_WANDERERS_GROWTH: Final = 96 * 2**20
"""The same where all attacks happen at once."""
SLACK: Final = 1.5
"""Times what the budgets allow that attackers may get rid of."""
BURSTS: Final = 2
"""Bursts that a connection may send at first: what came while nobody sent is not known exactly."""
UNREAD_BYTES: Final = 6 * 2**20
"""What Linux keeps of a connection that is not read (`tcp_rmem`), and a tenth of it of those that
come back: their buffers have no time to grow."""
WANDERERS: Final = 20


class Verdict(msgspec.Struct):
    """What an attack did.

    Attributes:
        attack: its name.
        against: the parser or handler.
        share: cores that a connection cost.
        messages: honest messages a second that cost as much.
        median: the honest median under the attack, as a multiple of the one at rest.
        ratio: the same of the p99.
        p99: seconds, under the attack.
        health: seconds of the slowest health check.
        grown: bytes that the process grew by that grew most.
        fate: how the attackers fared.
        faults: what others noticed that they must not; empty for an attack that was held off.
    """

    attack: str
    against: str
    share: float
    messages: float
    median: float
    ratio: float
    p99: float
    health: float
    grown: int
    fate: str
    faults: list[str]

    @property
    def badness(self) -> tuple[int, float]:
        """What to sort by."""
        return len(self.faults), max(self.ratio / MAX_RATIO, self.messages / MAX_MESSAGES)


HEAD: Final = (
    f"{'attack':70} {'CPU':>6} {'as msg':>6} {'p50':>6} {'p99':>6} {'health':>7} {'MiB':>5}"
    "  attackers"
)


def row(verdict: Verdict) -> str:
    """A line of the table."""
    return (
        f"{verdict.attack[:70]:70} {verdict.share:6.1%} {verdict.messages:6.0f}"
        f" {verdict.median:6.1f} {verdict.ratio:6.1f}"
        f" {verdict.health:7.2f} {verdict.grown >> 20:5}  {verdict.fate}"
        + "".join(f"  ** {fault}" for fault in verdict.faults)
    )


class Judge:
    """Lets one attack after the other run against a cluster.

    Args:
        arena: the cluster, with honest users.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._rest: Measured | None = None
        self._rested_at = 0.0

    async def judge(self, attack: Attack, rounds: int = ROUNDS) -> Verdict:
        """Let an attack run, again where it seems to work; the best of the rounds.

        Args:
            attack: sent by attackers in a process of their own.
            rounds: how often at most.

        Raises:
            AssertionError: the cluster does not get over the attack before.
        """
        verdicts: list[Verdict] = []
        while len(verdicts) < rounds:
            await self._arena.settle()
            verdicts.append(await self._round(attack, await self._rest_of(fresh=bool(verdicts))))
            if not verdicts[-1].faults:
                break
        return min(verdicts, key=lambda verdict: verdict.badness)

    async def _rest_of(self, *, fresh: bool) -> Measured:
        """How it is while nobody attacks; not measured anew each time."""
        rest = self._rest
        if rest is None or fresh or time.monotonic() > self._rested_at + REST_HOLDS_SECONDS:
            async with spinning():
                self._rest = rest = await self._arena.span(REST_SECONDS)
            self._rested_at = time.monotonic()
        return rest

    async def _round(self, attack: Attack, rest: Measured) -> Verdict:
        memory, begun = self._arena.memory(), time.monotonic()
        async with self._arena.attacked(attack) as attackers:
            before = await self._arena.span(WARM_UP_SECONDS, attackers)
            under = await self._arena.span(ATTACK_SECONDS, attackers, memory)
            whole = await attackers.report()
            slowed = whole.sent < SLACK * _allowed(attack, whole, time.monotonic() - begun)
        under.failed += before.failed
        under.health = max(under.health, before.health)
        verdict = _verdict(attack, rest, under, slowed=slowed)
        if not whole.opened:
            verdict.faults.append("no attacks at all")
        return verdict


def _allowed(attack: Attack, fared: Fared, seconds: float) -> float:
    """Bytes that attackers may get rid of: by their budgets, and by that of their address."""
    rate = Settings().rate_bytes
    came_back = max(0, fared.opened - attack.connections)
    share = ADDRESS_SHARE if came_back else min(ADDRESS_SHARE, attack.connections)
    unread = (attack.connections + came_back / 10) * UNREAD_BYTES
    return share * (BURSTS * rate.burst + seconds * rate.per_second) + unread


def _verdict(attack: Attack, rest: Measured, under: Measured, *, slowed: bool) -> Verdict:
    fared = under.fared
    assert fared is not None
    taken = fared.sent / under.seconds
    closed = sum(fared.ended.values())
    p99, floor = under.trip(0.99), max(rest.trip(0.99), NOISE_SECONDS)
    share = max(0.0, under.busy - rest.busy) / attack.connections
    messages = share / (rest.busy * rest.seconds / len(rest.trips))
    grown = max(under.grown.values())
    found = {
        f"{under.failed} honest messages failed": under.failed > 0,
        f"a connection costs as much as {messages:.0f} messages a second": messages > MAX_MESSAGES,
        f"honest p99 {p99 / floor:.1f} times": p99 > attack.max_ratio * floor,
        f"health check took {under.health:.1f} s": under.health > MAX_HEALTH_SECONDS,
        f"+{grown >> 20} MiB": grown > MAX_GROWTH + attack.connections * 2**20,
        f"{len(under.errors)} errors logged: {under.errors[:1]}": bool(under.errors),
        "not slowed": not slowed,
    }
    told = ", ".join(f"{how} x {count}" for how, count in sorted(fared.ended.items()))
    return Verdict(
        attack=attack.name,
        against=attack.against,
        share=share,
        messages=messages,
        median=under.trip(0.5) / rest.trip(0.5),
        ratio=p99 / floor,
        p99=p99,
        health=under.health,
        grown=grown,
        fate=(f"closed {told}; " if closed else "")
        + f"{taken / attack.connections / 1024:.0f} KiB/s",
        faults=[fault for fault, is_so in found.items() if is_so],
    )


async def wander(arena: Arena, seed: int, seconds: float) -> list[str]:
    """Let strangers send packets of every kind at random; what others noticed that they must not.

    Args:
        arena: the cluster that they try, at rest.
        seed: of all random choices.
        seconds: for how long.
    """
    attack = Attack(name=str(seed), against="all", door="http", pieces=(), connections=WANDERERS)
    memory, pid = arena.memory(), arena.cluster.pid("gateway-1")
    async with arena.attacked(attack, "wanderer") as attackers:
        under = await arena.span(seconds, attackers, memory)
    assert under.fared is not None
    grown = max(under.grown.values())
    told = f"{under.fared.opened} connections, {under.fared.sent >> 20} MiB in {seconds:.0f} s"
    print(f"seed {seed}: {told}; health {under.health:.2f} s, p99 {under.trip(0.99):.3f} s")
    found = {
        "no attacks at all": not under.fared.opened,
        f"health check took {under.health:.1f} s": under.health > MAX_HEALTH_SECONDS,
        f"+{grown >> 20} MiB": grown > MAX_WANDERERS_GROWTH,
        f"{len(under.errors)} errors logged: {under.errors[:1]}": bool(under.errors),
        "the gateway was started again": arena.cluster.pid("gateway-1") != pid,
    }
    return [fault for fault, is_so in found.items() if is_so]
