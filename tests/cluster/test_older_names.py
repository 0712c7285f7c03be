"""Rooms of builds that kept a room under each spelling of a name, and had other rules of names."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from shared.model.ids import make_id, partition_of_key, room_key
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.stored import rows

OLDER: Final = ("General", "general", "Lobby", "filler\u3164", "cafe\u0301", "Zoo", "ZOO")


@pytest.fixture(scope="module")
async def older(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """A cluster on rooms as a persister of an older build stored them."""
    folder = tmp_path_factory.mktemp("older")
    async with Cluster(data_dir=folder, persisters=1) as first:
        async with Peer(first.url) as peer:
            await peer.request("getRooms")
        database = first.database
    _store_rooms(database, OLDER)
    async with Cluster(data_dir=folder) as cluster:
        yield cluster


def _store_rooms(database: Path, names: tuple[str, ...]) -> None:
    [(count,)] = rows(database, "SELECT count(*) FROM partitions")
    columns = "id, key, kind, name, password_hash, creator, created_at, floor, epoch, deleted"
    with closing(sqlite3.connect(database)) as connection, connection:
        for number, name in enumerate(names, 10**9):
            key = room_key(name)
            room_id = make_id(number, partition_of_key(key, count))
            values = (room_id, key, "room", name, "", "ann", 1000 + number, 0, 1, 0)
            connection.execute(
                f"INSERT INTO rooms ({columns}, password_seq) VALUES ({', '.join('?' * 10)}, 0)",  # noqa: S608
                values,
            )


@pytest.mark.parametrize("name", OLDER)
async def test_each_is_found_by_its_own_spelling(older: Cluster, name: str) -> None:
    """A room of an older build is joined, written to and read by exactly its name."""
    async with (
        Peer(older.gateway_url(1), "username=ann") as ann,
        Peer(older.gateway_url(2), "username=bob") as bob,
    ):
        for peer in (ann, bob):
            assert (await peer.request("joinRoom", {"room": name}))["room"] == name
        await ann.request("message", {"room": name, "content": f"in {name}"})
        assert (await bob.next("message", room=name))["data"]["content"] == f"in {name}"
        page = await bob.request("history", {"room": name})
        assert [item["content"] for item in page["items"]] == [f"in {name}"]


@pytest.mark.parametrize(
    ("typed", "found"), [("LOBBY", "Lobby"), (" lobby ", "Lobby"), ("Caf\u00e9", "cafe\u0301")]
)
async def test_the_only_one_is_found_by_any_spelling(
    older: Cluster, typed: str, found: str
) -> None:
    """A room of an older build is found by other spellings, if no other room compares the same."""
    async with Peer(older.gateway_url(2), "username=ann") as ann:
        assert (await ann.request("joinRoom", {"room": typed}))["room"] == found
        with pytest.raises(Refusal) as refused:
            await ann.request("createRoom", {"name": typed})
        assert refused.value.code == "room_exists"


async def test_of_several_the_plain_one_is_found(older: Cluster) -> None:
    """A third spelling stands for the room under the form of the name, or for none of several."""
    async with Peer(older.gateway_url(1), "username=ann") as ann:
        assert (await ann.request("joinRoom", {"room": "GENERAL"}))["room"] == "general"
        with pytest.raises(Refusal) as refused:
            await ann.request("joinRoom", {"room": "zoo"})
        assert refused.value.code == "forbidden"
        with pytest.raises(Refusal) as refused:
            await ann.request("createRoom", {"name": "zoo"})
        assert refused.value.code == "room_exists"


async def test_they_stand_in_the_list(older: Cluster) -> None:
    """The list has each of them once, under its own name."""
    async with Peer(older.url) as peer:
        await peer.request("getRooms")
        listed = [room["name"] for room in peer.all("rooms")[-1]]
    assert sorted(listed) == sorted(OLDER)
