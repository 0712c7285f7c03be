"""Hash tags: which partition lies in which slot, and how masters of a cluster share them."""

from collections import Counter
from pathlib import Path

import pytest

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.slots import SLOTS, hash_tags, slot_of

KEYS_OF_TODAY = {
    8: ("dlj", "5j7", "130", "qsu", "ng4", "7hq", "31v", "7ys"),
    16: (
        *("04s", "003", "pt6", "4x6", "0ay", "0e9", "4mt", "4i4"),
        *("265", "22u", "c0h", "6zp", "gio", "5f", "6o2", "6kr"),
    ),
}


def master_of(slot: int, masters: int) -> int:
    """The master that has a slot, as `redis-cli --cluster create` shares them out."""
    per_master = SLOTS / masters
    lasts = [round((n + 1) * per_master - 1) for n in range(masters - 1)] + [SLOTS - 1]
    return next(n for n, last in enumerate(lasts) if slot <= last)


def shares(partitions: int, masters: int) -> list[int]:
    """How many partitions each master has."""
    keys = Keyspace("test", partitions)
    found = Counter(master_of(slot_of(part.record), masters) for part in keys.partitions)
    return [found[n] for n in range(masters)]


def table() -> list[str]:
    """The rows of the table in docs/decisions/051-keys-that-spread.md."""
    return [
        f"| {masters} | {_row(shares(8, masters))} | {_row(shares(16, masters))} |"
        for masters in range(1, 13)
    ]


def _row(found: list[int]) -> str:
    return " ".join(map(str, found))


@pytest.mark.parametrize(
    ("key", "slot"), [("123456789", 12739), ("{user1000}.x", 3443), ("foo{}{bar}", 8363)]
)
def test_slots_are_those_of_the_specification(key: str, slot: int) -> None:
    """A key's slot is what the specification of Redis Cluster gives for its examples."""
    assert slot_of(key) == slot


@pytest.mark.parametrize("partitions", [*range(1, 33), 64, 1024])
def test_even_on_as_many_masters_as_there_are_partitions(partitions: int) -> None:
    """On 1 to as many masters as partitions, no master has two more than another."""
    for masters in range(1, min(partitions, 64) + 1):
        found = shares(partitions, masters)
        assert max(found) - min(found) <= 1, (partitions, masters, found)


def test_more_masters_than_partitions() -> None:
    """Where masters outnumber partitions, none has more than one."""
    for partitions in (1, 2, 8, 16):
        for masters in range(partitions, 40):
            assert max(shares(partitions, masters)) == 1


def test_the_table_of_shares() -> None:
    """The table in the decision on keys is what the real tags give."""
    root = Path(__file__).parents[5]
    text = (root / "docs" / "decisions" / "051-keys-that-spread.md").read_text()
    assert [
        line for line in text.splitlines() if line.startswith("| ") and line[2].isdigit()
    ] == table()


@pytest.mark.parametrize("partitions", [8, 16])
def test_tags_stay_what_they_are(partitions: int) -> None:
    """The tags of stored data are found again by every build."""
    assert hash_tags(partitions) == KEYS_OF_TODAY[partitions]


def test_all_of_a_partition_lies_in_one_slot() -> None:
    """What one call may use together has one slot, whatever the names in it are."""
    keys = Keyspace("test", 8)
    part = keys[3]
    names = [part.record, part.stream, part.everyone, *part.send_keys("r:{a}"), part.chats("}{x")]
    assert len({slot_of(name) for name in [*names, *part.once, part.members, part.database]}) == 1
    buckets = [keys.bucket(kind, ("{room", *rest)) for kind, *rest in (("a",), ("b", "ann"))]
    assert len(set(map(slot_of, buckets))) == 1


def test_what_was_in_single_slots_is_spread() -> None:
    """Limits and what is told to everyone lie in the slots of all partitions."""
    keys = Keyspace("test", 8)
    limits = {slot_of(keys.bucket("messages", (f"user {n}",))) for n in range(200)}
    everyone = {slot_of(part.everyone) for part in keys.partitions}
    assert limits == everyone
    assert len(everyone) == 8
