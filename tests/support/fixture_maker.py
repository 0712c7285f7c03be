"""Makes the data folder of a build whose processes were all killed, for tests of later builds.

Its cluster is talked to by the public protocol until its
persister is paused: what is accepted from then on is in Redis only. At last every process is
killed. The archive holds `data/`, the folder, and `expected.json`:

    commit      of the build
    partitions  how many the data has, and `epochs`, that of each as in SQL
    rooms       by name, and `chats`, a list. Of each, `stored` says whether SQL has it at all, and
      messages  are all that were accepted, deleted ones too, by seq:
                [seq, id, sender, content, clientMsgId, whether SQL has it]
      deleted   [seq, id, whether SQL has the deletion]
      cursors   [user, seq, whether SQL has it], as they moved: the last one of a user counts
      unread    of a chat, by user
    dead        dead letters: `room`, and `message` as above, which the room does not show
    session     of a Socket.IO client that lost its connection when all that is stored was said

What Redis is to forget after a while is kept for a fixture's sake: clientMsgIds for as long as
the build can, almost two years, and the session for good.
"""

import asyncio
import io
import json
import signal
import sqlite3
import subprocess
import tarfile
import tempfile
from bisect import insort
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from shared.command_line import command_line
from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.socketio_peer import SocketIOPeer
from tests.support.waiting import eventually

PEOPLE: Final = ("ann", "bob", "carol")
SETTINGS: Final = {"DEDUPE_MINUTES": "1000000"}
KEPT: Final = ("appendonlydir", "parley.db", "secret_keys")  # what a later start needs
REFUSE: Final = """CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.content = 'refused'
BEGIN SELECT RAISE(ABORT, 'refused by a trigger'); END"""

Message = list[Any]
"""seq, id, sender, content, clientMsgId, whether SQL has it."""


class Place:
    """A room or a direct chat, `where` requests go to, and what has been accepted in it."""

    def __init__(self, where: dict[str, Any], facts: dict[str, Any]) -> None:
        self.where = where
        self.users: list[str] = facts.get("users", [])
        self.name: str = where.get("room") or "-".join(self.users)
        self.messages: list[Message] = []
        self.deleted: list[list[Any]] = []
        self.cursors: list[list[Any]] = []
        log = {"messages": self.messages, "deleted": self.deleted, "cursors": self.cursors}
        self.facts = {**facts, **log}

    def said(self, content: str) -> Message:
        """The message with this content."""
        return next(message for message in self.messages if message[3] == content)

    @property
    def shown(self) -> list[tuple[int, int, str]]:
        """The expected history: seq, id and content of each message."""
        gone = [id_ for _, id_, _ in self.deleted]
        return [(m[0], m[1], m[3]) for m in self.messages if m[1] not in gone]


class Story:
    """The users' actions in a cluster, and the results that a later build must show."""

    def __init__(self, people: dict[str, Peer]) -> None:
        self.people = people
        self.places: list[Place] = []
        self.stored = True  # the persister runs

    async def make_room(self, name: str, password: str = "") -> Place:
        """Let ann make a room, and bob enter it too."""
        secret = {"password": password} if password else {}
        made = await self.people["ann"].request("createRoom", {"name": name, **secret})
        for user in ("ann", "bob"):
            await self.people[user].request("joinRoom", {"room": name, **secret})
        facts = {"owner": "ann", "password": password, "banned": []}
        return self._made({"room": name}, {"id": made["id"], **facts})

    async def make_chat(self, *users: str) -> Place:
        """Let the first of two users make their chat."""
        pair = {"user1Id": users[0], "user2Id": users[1]}
        made = await self.people[users[0]].request("createChat", pair)
        return self._made({"chatId": made["id"]}, {"id": made["id"], "users": users, "unread": {}})

    def _made(self, where: dict[str, Any], facts: dict[str, Any]) -> Place:
        self.places.append(Place(where, {**facts, "stored": self.stored}))
        return self.places[-1]

    async def say(self, place: Place, sender: str, content: str) -> None:
        """Send a message, and keep what the build answered."""
        data = {"content": content, "clientMsgId": f"{place.name}: {content}", **place.where}
        if place.users:
            (receiver,) = {*place.users} - {sender}
            data |= {"senderId": sender, "receiverId": receiver}
        event = "sendMessage" if place.users else "message"
        given = await self.people[sender].request(event, data)
        said = (sender, content, data["clientMsgId"])
        insort(place.messages, [given["seq"], given["id"], *said, self.stored])

    async def talk(self, place: Place, numbers: range, together: int) -> None:
        """Let ann and bob take turns in a place, each sending some messages at once."""
        word = "stored" if self.stored else "unstored"
        for first in numbers[::together]:
            sender = ("ann", "bob")[(first // together) % 2]
            some = range(first, min(first + together, numbers.stop))
            await asyncio.gather(*(self.say(place, sender, f"{word} {n}") for n in some))

    async def see(self, place: Place, user: str, message: Message) -> None:
        """Move a user's cursor to a message; in a chat by marking the message."""
        mark = ("markAsSeen", {"messageId": message[1]})
        look = ("seen", {**place.where, "seq": message[0]})
        await self.people[user].request(*(mark if place.users else look))
        place.cursors.append([user, message[0], self.stored])

    async def delete(self, place: Place, message: Message) -> None:
        """Let a sender delete a message."""
        await self.people[message[2]].request("deleteMessage", {"messageId": message[1]})
        place.deleted.append([*message[:2], self.stored])

    async def all_stored(self) -> None:
        """Wait until SQL has the last message of each place, and with it all before."""

        async def told(place: Place) -> bool:
            last = place.messages[-1]
            words = self.people[last[2]].all("durable")
            return any(w["seq"] >= last[0] and w.items() >= place.where.items() for w in words)

        for place in self.places:
            await eventually(partial(told, place))

    async def check(self, dead: Message) -> None:
        """Check that the build itself shows what later builds must; note the unread counts."""
        for place in self.places:
            page = await self.people["ann"].request("history", {**place.where, "limit": 200})
            kept = [item for item in page["items"] if not item.get("deleted")]
            found = [(m["seq"], m["id"], m["content"]) for m in kept if m["id"] != dead[1]]
            assert found == place.shown, (found, place.shown)
        chats = {place.facts["id"]: place for place in self.places if place.users}
        for user in ("ann", "bob"):
            await self.people[user].request("getChats", user)
            for chat in (await self.people[user].next("chatsList"))["data"]:
                chats[chat["id"]].facts["unread"][user] = chat["unread"]


async def tell_stored(story: Story, cluster: Cluster) -> tuple[Message, dict[str, Any]]:
    """Do what is stored in SQL; return the dead letter and the Socket.IO session."""
    ann, carol = story.people["ann"], story.people["carol"]
    general = await story.make_room("general")
    chat = await story.make_chat("ann", "bob")
    await story.talk(general, range(1, 21), 10)
    await carol.request("joinRoom", {"room": "general"})
    await ann.request("ban", {"room": "general", "user": "carol"})
    general.facts["banned"].append("carol")
    await story.delete(general, general.said("stored 5"))
    await story.see(general, "bob", general.said("stored 10"))
    await story.talk(chat, range(1, 7), 3)
    await story.see(chat, "bob", chat.said("stored 2"))
    await story.see(chat, "ann", chat.said("stored 5"))
    await story.talk(chat, range(7, 11), 2)
    dead = await refused(story, await story.make_room("locked", "open sesame"), cluster.database)
    async with SocketIOPeer(cluster.url, "username=eve") as eve:
        await eve.request("joinRoom", {"room": "general"})
        await story.talk(general, range(21, 41), 10)
        await story.all_stored()
        await eve.until(20, "message", "general")
        eve.lose()
        session = {"user": "eve", "pid": eve.pid, "offset": eve.offset, "rooms": ["general"]}
    return dead, session


async def refused(story: Story, room: Place, database: Path) -> Message:
    """Have SQL refuse one of a room's messages, which becomes a dead letter."""
    await story.say(room, "ann", "stored 1")
    run(database, REFUSE)
    await story.say(room, "ann", "refused")
    dead = room.messages.pop()
    await story.say(room, "bob", "stored 2")
    await story.all_stored()
    run(database, "DROP TRIGGER refuse")
    dead[-1] = False
    return dead


async def tell_unstored(story: Story) -> None:
    """Do what only Redis will have: 101 messages, a deletion and a cursor move."""
    general, chat = story.places[:2]
    await story.talk(general, range(1, 31), 10)
    fresh = await story.make_room("fresh")
    await story.talk(chat, range(1, 21), 10)
    await story.see(chat, "bob", chat.said("unstored 10"))
    await story.talk(fresh, range(1, 11), 5)
    await story.delete(chat, chat.said("stored 3"))
    await story.talk(general, range(31, 61), 10)
    await story.talk(chat, range(21, 31), 5)
    await story.say(await story.make_chat("ann", "dave"), "ann", "unstored 1")


async def end(cluster: Cluster, pid: str) -> None:
    """Kill every process of a cluster; keep the session that `pid` opens for ever."""
    cluster.kill("cluster", signal.SIGSTOP)  # so that it neither starts nor stops any
    names = {file.stem for file in (cluster.data_dir / "run").glob("*.pid")}
    for name in names - {"cluster", "redis"}:
        cluster.kill(name)
    async with Redis.from_url(cluster.redis_url) as client:
        kept = [await client.persist(key) async for key in client.scan_iter(f"*{pid}*")]
        assert kept == [True], kept
    cluster.kill("redis")
    cluster.kill("cluster")
    await cluster.wait_ended()


async def make(checkout: Path, folder: Path) -> dict[str, Any]:
    """Write the data of a build to a folder; return what a later build must show."""
    async with (
        Cluster(gateways=1, env=SETTINGS, data_dir=folder, root=checkout) as cluster,
        AsyncExitStack() as stack,
    ):
        peers = {user: Peer(cluster.url, f"username={user}&durable=1") for user in PEOPLE}
        for peer in peers.values():
            await stack.enter_async_context(peer)
        story = Story(peers)
        dead, session = await tell_stored(story, cluster)
        cluster.kill("persister-1", signal.SIGSTOP)
        story.stored = False
        await tell_unstored(story)
        await story.check(dead)
        await end(cluster, session["pid"])
    run(cluster.database, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
    check_stored(story, cluster.database)
    epochs = run(cluster.database, "SELECT epoch FROM partitions ORDER BY number")
    return {
        "partitions": len(epochs),
        "epochs": [epoch for (epoch,) in epochs],
        "rooms": {place.name: place.facts for place in story.places if not place.users},
        "chats": [place.facts for place in story.places if place.users],
        "dead": [{"room": "locked", "message": dead}],
        "session": session,
    }


def check_stored(story: Story, database: Path) -> None:
    """Check that SQL has the expected rows, and no others."""
    found = {id_ for (id_,) in run(database, "SELECT id FROM events WHERE content <> ''")}
    gone = {id_ for place in story.places for _, id_, stored in place.deleted if stored}
    stored = {message[1] for place in story.places for message in place.messages if message[-1]}
    assert found == stored - gone, (found, stored - gone)


def run(database: Path, *statements: str) -> list[Any]:
    """Run statements on an SQLite file; return what the last one found."""
    with closing(sqlite3.connect(database, timeout=10, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


def pack(out: Path, folder: Path, expected: dict[str, Any]) -> None:
    """Write the archive, without times and owners of files."""
    files = [path for name in KEPT for path in (folder / name, *(folder / name).glob("**/*"))]
    contents = {f"data/{p.relative_to(folder)}": p.read_bytes() for p in files if p.is_file()}
    contents["expected.json"] = (json.dumps(expected, indent=1) + "\n").encode()
    with tarfile.open(out, "w:xz", format=tarfile.USTAR_FORMAT, preset=9) as archive:
        for name, content in sorted(contents.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))


def main() -> None:
    """Make the fixture that the command line asks for."""
    parser = command_line("tests.support.fixture_maker", __doc__)
    parser.add_argument(
        "checkout", metavar="CHECKOUT", type=Path, help="a working copy of the build"
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="the archive to write, .tar.xz")
    given = parser.parse_args()
    commit = subprocess.check_output(["git", "-C", given.checkout, "rev-parse", "HEAD"], text=True)
    with tempfile.TemporaryDirectory(prefix="parley-fixture-") as folder:
        expected = asyncio.run(make(given.checkout.resolve(), Path(folder)))
        pack(given.out, Path(folder), {"commit": commit.strip(), **expected})


if __name__ == "__main__":
    main()
