"""Bans, as the Python client and its terminal tell of them, and notes to the user's own name.

The commands for bans are those of docs/how-to/moderate-a-room.md.
"""

import asyncio
import json
import re

import pytest

from parley_chat import (
    Act,
    BanLifted,
    ChatClient,
    ChatError,
    MemberResult,
    NewMessage,
    RoomLost,
    UserPage,
)
from tests.integration.clients.python.listening import until
from tests.integration.clients.python.terminals import run, shows, terminal
from tests.support.cluster import Cluster
from tests.support.waiting import HANGS_AFTER


async def reason_of(client: ChatClient, room: str, password: str | None = None) -> str | None:
    """The reason with which a client is refused a room."""
    with pytest.raises(ChatError) as refusal:
        await client.join_room(room, password)
    assert refusal.value.code == "forbidden"
    return refusal.value.reason


async def test_who_is_banned_learns_why(
    cluster: Cluster, room: str, users: tuple[int, str]
) -> None:
    """A ban from an open room is the reason of every refusal, and its end is told at once."""
    _, name = users
    async with (
        ChatClient(cluster.gateway_url(1), username="ann") as ann,
        ChatClient(cluster.gateway_url(2), username=name) as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        assert await ann.kick(room, name) == MemberResult(known=True)
        assert (await until(bob, RoomLost))[0].reason == "kicked"
        await bob.join_room(room)
        assert await ann.ban(room, name) == MemberResult(known=True)
        assert (await until(bob, RoomLost))[0].reason == "banned"
        assert await reason_of(bob, room) == "banned"
        with pytest.raises(ChatError) as refusal:
            await bob.history(room)
        assert (refusal.value.code, refusal.value.reason) == ("forbidden", "banned")
        await ann.unban(room, name)
        assert (await until(bob, BanLifted))[0].room == room
        await bob.join_room(room)
        await ann.set_password(room, "key")
        await ann.ban(room, name)
        await until(bob, RoomLost)
        assert await reason_of(bob, room, "key") is None


async def test_lists_of_users(cluster: Cluster, room: str, users: tuple[int, str]) -> None:
    """The banned and the moderators are listed in pages; a name that nobody has is said to be."""
    number, name = users
    async with ChatClient(cluster.gateway_url(2), username="ann", listen=False) as ann:
        await ann.create_room(room)
        await ann.join_room(room)
        for user in (name, number):
            assert await ann.ban(room, user) == MemberResult(known=False)
        await ann.set_moderator(room, "mia")
        assert await ann.banned(room) == UserPage([number, name])
        assert await ann.banned(room, limit=1) == UserPage([number], more=True)
        assert await ann.banned(room, after=number) == UserPage([name])
        assert await ann.moderators(room) == UserPage(["mia"])


async def test_what_was_done(cluster: Cluster, room: str, users: tuple[int, str]) -> None:
    """Owner and moderators list what was done by whom, in pages, newest first; others cannot."""
    number, name = users
    async with (
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(cluster.gateway_url(2), username=name, listen=False) as bob,
    ):
        await ann.create_room(room)
        for client in (ann, bob):
            await client.join_room(room)
        with pytest.raises(ChatError) as refusal:
            await bob.moderation_log(room)
        assert refusal.value.code == "forbidden"
        rude = await ann.send(room, "rude")
        await ann.set_moderator(room, name)
        await bob.delete_message(rude.id)
        await bob.ban(room, number)
        page = await bob.moderation_log(room)
        at = [act.at for act in page.items]
        assert at == sorted(at, reverse=True)
        places = [act.seq for act in page.items]
        assert page.items == [
            Act(places[0], at[0], "banned", by=name, user=number),
            Act(places[1], at[1], "messageDeleted", by=name, user="ann", message_id=rude.id),
            Act(places[2], at[2], "moderatorChanged", by="ann", user=name, moderator=True),
            Act(0, at[3], "roomCreated", by="ann"),
        ]
        assert (page.next, page.partial) == (None, False)
        newest = await ann.moderation_log(room, limit=3)
        assert newest.items == page.items[:3]
        oldest = await ann.moderation_log(room, before=newest.next, limit=3)
        assert (oldest.items, oldest.next) == (page.items[3:], None)


async def test_what_was_done_in_the_terminal(
    cluster: Cluster, room: str, users: tuple[int, str]
) -> None:
    """A person reads what was done, the newest last as with messages; a script reads all of it."""
    _, name = users
    acts = f'/moderator "{name}"\n/password key\n/ban eve\n'
    await run(cluster.url, "--name", "ann", "--room", room, "--create", typed=acts)
    arguments = (cluster.url, "--name", name, "--room", room, "--password", "key")
    code, out, err = await run(*arguments, typed="/log\n/log 1\n/log x\n")
    assert (code, err) == (0, "")
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d "
    lines = [re.sub(f"^{when}", "", line) for line in out.splitlines() if re.match(when, line)]
    done = ["ann created the room", f"ann made {name} a moderator", "ann changed the password"]
    newest = "ann banned eve"
    assert lines == [*done, newest, newest]
    assert "!! /log takes a number" in out
    log = {"command": "log", "limit": 3}
    typed = json.dumps(log | {"id": 1}) + "\n"
    _, out, _ = await run(*arguments, "--json", typed=typed)
    [data] = [answer["data"] for line in out.splitlines() if (answer := json.loads(line)).get("id")]
    actions = [act["action"] for act in data["items"]]
    assert actions == ["banned", "passwordChanged", "moderatorChanged"]
    typed = json.dumps(log | {"id": 2, "before": data["next"]}) + "\n"
    _, out, _ = await run(*arguments, "--json", typed=typed)
    [data] = [answer["data"] for line in out.splitlines() if (answer := json.loads(line)).get("id")]
    assert [act["action"] for act in data["items"]] == ["roomCreated"]
    assert data["next"] is None


async def test_in_the_terminal(cluster: Cluster, room: str, users: tuple[int, str]) -> None:
    """A person in the terminal reads that a name is unknown, who is banned, and who moderates."""
    _, name = users
    exchanges = [
        (
            f'/ban "{name}"',
            f"-- nobody named {name} was ever seen here; the ban holds if they come",
        ),
        ("/banned", name),
        (f'/unban "{name}"', f"-- nobody named {name} was ever seen here"),
        ("/banned", "-- nobody"),
        ("/moderator mia", "-- nobody named mia was ever seen here"),
        ("/moderators", "mia"),
    ]
    arguments = (cluster.url, "--name", "ann", "--room", room, "--create")
    async with terminal(*arguments) as process, asyncio.timeout(HANGS_AFTER):
        assert process.stdin is not None
        assert process.stdout is not None
        for typed, line in exchanges:
            process.stdin.write(f"{typed}\n".encode())
            # A whole line: others have these names and words, too.
            while (await anext(process.stdout)).decode() != f"{line}\n":
                pass
        process.stdin.close()
        await process.communicate()


async def test_a_banned_person_in_the_terminal(
    cluster: Cluster, room: str, users: tuple[int, str]
) -> None:
    """A person who is banned reads so, and that the ban was lifted."""
    _, name = users
    async with ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann:
        await ann.create_room(room)
        await ann.join_room(room)
        await ann.ban(room, name)
        async with terminal(cluster.url, "--name", name) as process, asyncio.timeout(HANGS_AFTER):
            assert process.stdin is not None
            process.stdin.write(f'/join "{room}"\n'.encode())
            await shows(process, "you are banned from this room")
            await ann.unban(room, name)
            await shows(process, f"you can join {room} again")
            process.stdin.close()
            await process.communicate()


async def test_notes(cluster: Cluster, users: tuple[int, str]) -> None:
    """A note comes once to each of the user's clients, in one chat that is never unread."""
    _, me = users
    async with (
        ChatClient(cluster.gateway_url(1), username=me) as here,
        ChatClient(cluster.gateway_url(2), username=me) as there,
    ):
        for client in (here, there):
            await client.go_online(me)
        chat = await here.create_chat(me)
        await here.send_to(me, "buy milk")
        await there.send_to(me, "and tea")
        for client in (here, there):
            last, before = await until(client, NewMessage, lambda note: note.content == "and tea")
            notes = [event for event in before if isinstance(event, NewMessage)]
            assert [note.content for note in notes] == ["buy milk"]
            assert (last.sender_id, last.receiver_id) == (me, me)
            [listed] = await client.chats()
            assert (listed.id, listed.unread, listed.other(me)) == (chat.id, 0, me)
        await here.mark_as_seen(last.id)
