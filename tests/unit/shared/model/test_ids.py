"""Partitions and ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.broker.partitions.fence import FENCE_GAP
from shared.model.ids import (
    chat_key,
    counter_of,
    make_id,
    partition_of_id,
    partition_of_key,
    room_key,
    users_of_chat,
)


@pytest.mark.parametrize(
    ("key", "of_16", "of_1024"),
    [("r:general", 12, 380), ("r:random", 14, 238), ("r:", 9, 57), ("r:größe 🎈", 7, 887)],
)
def test_partition_of_a_room_never_changes(key: str, of_16: int, of_1024: int) -> None:
    """A room's partition is the same in every build: the data of old rooms stays where it is."""
    assert (partition_of_key(key, 16), partition_of_key(key, 1024)) == (of_16, of_1024)


@given(st.text(max_size=40), st.integers(1, 1024))
def test_partition_is_in_range(key: str, partitions: int) -> None:
    """A key belongs to one of the partitions there are."""
    assert 0 <= partition_of_key(key, partitions) < partitions


@given(st.integers(0, 2**43 - 1), st.integers(0, 1023))
def test_ids_round_trip(counter: int, partition: int) -> None:
    """An id gives back its counter and its partition, and JavaScript holds it exactly."""
    event_id = make_id(counter, partition)
    assert (counter_of(event_id), partition_of_id(event_id)) == (counter, partition)
    assert event_id < 2**53
    assert event_id == counter * 1024 + partition


def test_ids_last() -> None:
    """A million epochs and a trillion messages in one partition leave ids below 2^53."""
    assert make_id(1_000_000 * FENCE_GAP + 10**12, 1023) < 2**53


def test_keys_of_rooms_are_their_names() -> None:
    """A room's key is its name behind the letter of its kind."""
    assert room_key("general") == "r:general"


names = st.text(min_size=1, max_size=12) | st.text("12:", min_size=1, max_size=4)


@given(names, names)
def test_users_of_a_chat_round_trip(one: str, other: str) -> None:
    """A chat's key gives back its two users, whichever way round they were named."""
    assert chat_key(one, other) == chat_key(other, one)
    assert sorted(users_of_chat(chat_key(one, other))) == sorted((one, other))


@given(names, names, names, names)
def test_two_pairs_have_two_keys(a: str, b: str, c: str, d: str) -> None:
    """Two pairs of users share a key only if they are the same two."""
    assert (chat_key(a, b) == chat_key(c, d)) == (sorted((a, b)) == sorted((c, d)))


@given(names, names)
def test_kinds_never_meet(one: str, other: str) -> None:
    """No named room has the key of a chat, whatever it is called."""
    assert room_key(chat_key(one, other)) != chat_key(one, other)
    assert not chat_key(one, other).startswith(room_key(""))


def test_key_of_a_chat_never_changes() -> None:
    """A chat's key is the same in every build: stored chats are found by it."""
    assert chat_key("bob", "ann") == "d:3:ann:bob"
    assert chat_key("1", "10") == "d:1:1:10"
