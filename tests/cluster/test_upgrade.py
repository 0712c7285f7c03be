"""This build on data of earlier ones, with messages waiting that were accepted and not stored."""

import json
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.model.formats import NEWEST
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.process import run
from tests.support.socketio_peer import SocketIOPeer
from tests.support.stored import eventually, rows

ARCHIVES = sorted((Path(__file__).parents[1] / "fixtures").glob("data-*.tar.xz"))
UNSTORED = 101
PEOPLE = ("ann", "bob")


class Upgraded:
    """A cluster of this build on a fixture's data.

    Attributes:
        expected: what the fixture's maker says that must be there.
        places: rooms and chats, by what a request names them with.
    """

    def __init__(self, cluster: Cluster, expected: dict[str, Any]) -> None:
        self.cluster = cluster
        self.expected = expected
        self.places: list[tuple[dict[str, Any], dict[str, Any]]] = [
            *(({"room": name}, place) for name, place in expected["rooms"].items()),
            *(({"chatId": place["id"]}, place) for place in expected["chats"]),
        ]

    @property
    def sent(self) -> list[Any]:
        """Every message that was accepted."""
        return [message for _, place in self.places for message in place["messages"]]

    async def in_everything(self, peer: Peer) -> None:
        """Let a peer enter every room."""
        for where, place in self.places:
            if "room" in where:
                await peer.request("joinRoom", {**where, "password": place["password"]})


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda path: path.name.split(".")[0])
async def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Upgraded]:
    """Each fixture, started."""
    folder = tmp_path_factory.mktemp("upgrade")
    with tarfile.open(request.param) as archive:
        # Python before 3.11.4 has no filters, and needs none for what is our own.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)  # noqa: S202
    expected = json.loads((folder / "expected.json").read_text())
    database = folder / "data" / "parley.db"
    if rows(database, "SELECT value FROM meta WHERE key = 'namespace'"):
        # Unpacked, it is a copy.
        env = {"DATABASE_URL": f"sqlite+aiosqlite:///{database}"}
        code, _, said = await run("persister", "adopt", env=env)
        assert code == 0, said
    async with Cluster(data_dir=folder / "data") as cluster:
        yield Upgraded(cluster, expected)


async def test_nothing_is_lost_and_nothing_twice(upgraded: Upgraded) -> None:
    """Every message that the earlier build accepted is in SQL once, at its place."""
    waiting = [message for message in upgraded.sent if not message[5]]
    assert len(waiting) == UNSTORED
    query = "SELECT seq, id, sender, client_msg_id FROM events WHERE kind = 'message' ORDER BY id"
    found = await eventually(
        lambda: rows(upgraded.cluster.database, query),
        lambda found: len(found) >= len(upgraded.sent),
    )
    sent = ((seq, id_, sender, name) for seq, id_, sender, _, name, _ in upgraded.sent)
    assert found == sorted(sent, key=lambda row: row[1])


async def test_history_is_whole(upgraded: Upgraded) -> None:
    """History shows what was said in every room and chat, in order, and says that it is whole."""
    async with Peer(upgraded.cluster.gateway_url(1), "username=ann") as ann:
        await upgraded.in_everything(ann)
        for where, place in upgraded.places:
            page = await ann.request("history", {**where, "limit": 200})
            gone = {id_ for _, id_, _ in place["deleted"]}
            shown = [(i["seq"], i["content"]) for i in page["items"] if not i.get("deleted")]
            assert shown == [(m[0], m[3]) for m in place["messages"] if m[1] not in gone]
            assert not page["partial"]


async def test_sent_again_it_is_the_same(upgraded: Upgraded) -> None:
    """What is sent again with its clientMsgId is the message that it was, not another one."""
    async with (
        Peer(upgraded.cluster.gateway_url(1), "username=ann") as ann,
        Peer(upgraded.cluster.gateway_url(2), "username=bob") as bob,
    ):
        for peer in (ann, bob):
            await upgraded.in_everything(peer)
        peers = dict(zip(PEOPLE, (ann, bob), strict=True))
        for where, place in upgraded.places:
            seq, id_, sender, content, name, _ = place["messages"][-1]
            data = {"content": content, "clientMsgId": name}
            if "room" in where:
                again = await peers[sender].request("message", {**where, **data})
            else:
                [other] = {*place["users"]} - {sender}
                to = {"senderId": sender, "receiverId": other}
                again = await peers[sender].request("sendMessage", {**to, **data})
            assert (again["seq"], again["id"]) == (seq, id_)


async def test_cursors_and_bans_are_kept(upgraded: Upgraded) -> None:
    """Unread counts are what they were, and who was banned stays out."""
    async with Peer(upgraded.cluster.url, "username=bob") as bob:
        await bob.request("getChats", "bob")
        chats = (await bob.next("chatsList"))["data"]
        unread = {chat["id"]: chat["unread"] for chat in chats}
        for chat in upgraded.expected["chats"]:
            if "bob" in chat["unread"]:
                assert unread[chat["id"]] == chat["unread"]["bob"]
    async with Peer(upgraded.cluster.url, "username=carol") as carol:
        with pytest.raises(Refusal) as refused:
            await carol.request("joinRoom", {"room": "general"})
        assert refused.value.code == "forbidden"


async def test_a_session_goes_on(upgraded: Upgraded) -> None:
    """A Socket.IO client of before comes back to where it was, with all that it missed."""
    session = upgraded.expected["session"]
    auth = {"pid": session["pid"], "offset": session["offset"]}
    missed = [m for m in upgraded.expected["rooms"]["general"]["messages"] if not m[5]]
    async with SocketIOPeer(upgraded.cluster.url, auth=auth) as eve:
        assert eve.recovered
        got = await eve.until(len(missed), "message", "general")
        assert [message["content"] for message in got] == [message[3] for message in missed]


async def test_dead_letters_are_kept(upgraded: Upgraded) -> None:
    """What the earlier build set aside is listed, and stored when it is tried again."""
    env = {
        "REDIS_URL": upgraded.cluster.redis_url,
        "DATABASE_URL": f"sqlite+aiosqlite:///{upgraded.cluster.database}",
    }
    listed = await run("persister", "dead-letter", "list", env=env)
    assert [line.split()[-1] for line in listed[1].splitlines()[-1:]] == ["letter"], listed
    code, said, _ = await run("persister", "dead-letter", "retry", env=env)
    assert (code, said.splitlines()[-1]) == (0, "1 stored, 0 left")


async def test_everything_is_in_the_new_keys(upgraded: Upgraded) -> None:
    """Nothing is left under old names but a record for each partition that refuses older builds."""
    database = upgraded.cluster.database
    assert rows(database, "SELECT DISTINCT format FROM partitions") == [(NEWEST,)]
    said: dict[str, str] = dict(rows(database, "SELECT key, value FROM meta"))
    assert int(said["partitions"]) == upgraded.expected["partitions"]
    broker: Any = Redis.from_url(upgraded.cluster.redis_url)
    try:
        names = [key.decode() for key in await broker.keys("*")]
        old = {key for key in names if not key.startswith(f"{said['namespace']}:{{")}
        if old:
            assert old == {f"{{{n}}}:partition" for n in range(int(said["partitions"]))}
            # Builds before formats refuse data that was made with another PARTITIONS.
            assert {await broker.hget(key, "partitions") for key in old} == {b"0"}
    finally:
        await broker.aclose()
