"""`python -m gateway.client`, as people and scripts run it."""

import asyncio
import json
import os
import pty
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.client import ChatClient, MessageDeleted, Seen, TypingEvent
from tests.integration.client.listening import (
    ROOT,
    direct_among,
    direct_until,
    gateway_in,
    messages_until,
    until,
)
from tests.support.cluster import Cluster


@asynccontextmanager
async def terminal(*arguments: str, **streams: Any) -> AsyncIterator[Process]:  # noqa: ANN401 - of subprocess
    """Run the client in a terminal, or on pipes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.client", *arguments),
        cwd=ROOT,
        limit=2**20,
        **({"stdin": PIPE, "stdout": PIPE, "stderr": PIPE} | streams),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def run(*arguments: str, typed: str = "") -> tuple[int | None, str, str]:
    """Run the client on pipes to its end; return its exit code, what it said, and its errors."""
    async with terminal(*arguments) as process, asyncio.timeout(20):
        out, err = await process.communicate(typed.encode())
        return process.returncode, out.decode(), err.decode()


async def shows(process: Process, wanted: str) -> str:
    """Read lines until one has what is wanted; return it."""
    assert process.stdout is not None
    while wanted not in (line := (await anext(process.stdout)).decode()):
        pass
    return line


class Tty:
    """A terminal to type in and to look at."""

    def __init__(self) -> None:
        self.near, self.far = pty.openpty()
        self.shown = ""

    async def wait_for(self, pattern: str) -> None:
        """Wait until the screen has been sent something."""
        async with asyncio.timeout(20):
            while not re.search(pattern, self.shown):
                chunk = await asyncio.to_thread(os.read, self.near, 65_536)
                self.shown += chunk.decode()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.near, keys.encode())


async def test_a_person_talks_through_a_pipe(cluster: Cluster, room: str) -> None:
    """Lines are said, commands obeyed and events shown; the end of the input ends it well."""
    exchanges = [
        ("", f"-- you are in {room}"),
        ("hello", " ann: hello"),
        ("//slash", " ann: /slash"),
        ("/nope", "there is no command /nope"),
        ("/history 1", " ann: /slash"),
        ("/rooms", room),
        ("/who", "nobody"),
        ("/clear", "All messages have been deleted"),
        ("/leave\nnowhere", "join a room first"),
    ]
    arguments = (cluster.url, "--name", "ann", "--room", room, "--create")
    async with terminal(*arguments) as process, asyncio.timeout(20):
        assert process.stdin is not None
        assert process.stdout is not None
        for typed, shown in exchanges:
            process.stdin.write(f"{typed}\n".encode())
            while shown not in (line := (await anext(process.stdout)).decode()):
                assert "\x1b" not in line
        process.stdin.close()
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")


async def test_a_person_talks_to_another(cluster: Cluster, users: tuple[int, str]) -> None:
    """A direct chat is opened, talked in, seen and deleted from; other users come in between."""
    ann, bob = users
    arguments = (cluster.gateway_url(1), "--user", str(ann), "--dm", bob)
    async with (
        ChatClient(cluster.gateway_url(2)) as client,
        ChatClient(cluster.gateway_url(2), username=f"{bob} too", listen=False) as third,
        terminal(*arguments) as process,
        asyncio.timeout(20),
    ):
        assert process.stdin is not None
        assert process.stdout is not None

        async def exchange(typed: str, shown: str) -> str:
            process.stdin.write(f"{typed}\n".encode())  # type: ignore[union-attr]
            return await shows(process, shown)

        await exchange("", f"-- you talk to {bob}")
        await client.go_online(bob)
        await exchange("/online", bob)
        await exchange("hello", f" [@{bob}] {ann}: hello")
        said = (await direct_until(client, "hello"))[-1]
        await client.mark_as_seen(said.id)
        await exchange("", f"-- [@{bob}] ✓ seen")
        await client.send_to(ann, "hi")
        await exchange("", f" [@{bob}] {bob}: hi")
        await exchange("/seen\n/chats", f"{bob}: hi")
        seen, _ = await until(client, Seen)
        assert (seen.user, seen.seq) == (ann, 2)
        await third.send_to(ann, "psst")
        await exchange("", f" [@{bob} too] {bob} too: psst")
        await exchange("/chats", f"{bob} too (1 unread): psst")
        await exchange(f'/say "{bob} too" not here', f" [@{bob} too] {ann}: not here")
        await exchange("bye\n/delete", f"-- [@{bob}] a message was deleted")
        deleted, before = await until(client, MessageDeleted)
        assert direct_among(before)[-1].id == deleted.message_id
        await exchange("/history 2", f"{bob}: hi")
        await client.typing(chat_id=said.chat_id)
        await exchange("", f"[@{bob}] {bob} is typing...")
        await exchange("/who", bob)
        await client.go_offline()
        await exchange("", f"-- {bob} went offline")
        await exchange("/leave\nnowhere", "join a room first")


async def test_a_script_talks_to_users(cluster: Cluster, users: tuple[int, str]) -> None:
    """Direct chats in JSON: commands name a user, and each event is an object with its name."""
    ann, bob = users
    commands = [
        {"command": "dm", "user": bob, "id": 1},
        {"command": "say", "content": "one", "id": 2},
        {"command": "say", "user": bob, "content": "two", "id": 3},
        {"command": "delete", "id": 4},
        {"command": "chats", "id": 5},
        {"command": "history", "id": 6},
        {"command": "dm", "user": ann, "id": 7},
    ]
    typed = "".join(json.dumps(command) + "\n" for command in commands)
    code, out, err = await run(cluster.url, "--user", str(ann), "--json", typed=typed)
    assert (code, err) == (0, "")
    said = [json.loads(line) for line in out.splitlines()]
    answers = {item.get("id"): item for item in said if item["event"] in {"reply", "failure"}}
    chat = answers[1]["data"]["chat"]
    assert (chat["user1Id"], chat["user2Id"]) == users
    assert sorted(answers[n]["data"]["seq"] for n in (2, 3)) == [1, 2]
    assert answers[4]["data"]["messageId"] == answers[3]["data"]["id"]
    assert answers[5]["data"][0]["id"] == chat["id"]
    assert [item.get("content") for item in answers[6]["data"]["items"]] == ["one", ""]
    assert (answers[7]["event"], answers[7]["code"]) == ("failure", "bad_request")
    assert {"newChat", "newMessage", "messageDeleted"} <= {item["event"] for item in said}


async def test_what_others_write_stays_text(cluster: Cluster, room: str) -> None:
    """A message of control characters reaches the terminal as text."""
    async with ChatClient(cluster.url, username="eve", listen=False) as eve:
        await eve.create_room(room)
        await eve.join_room(room)
        await eve.send(room, "\x1b[2J\x1b]0;owned\x07")
    _, out, _ = await run(cluster.url, "--name", "ann", "--room", room)
    assert "\\x1b[2J\\x1b]0;owned\\x07" in out
    assert "\x1b" not in out


async def test_a_script_reads_and_writes_json(cluster: Cluster, room: str) -> None:
    """Each event is an object a line, each command has its reply or failure, with its id."""
    commands = [
        {"command": "create", "room": room, "password": "s3cret", "id": 1},
        {"command": "say", "content": "one", "id": "two"},
        {"command": "join", "room": room + "?", "id": 3},
        {"command": "nope"},
    ]
    typed = "".join(json.dumps(command) + "\n" for command in commands)
    code, out, err = await run(
        cluster.url, "--name", "ann", "--json", "--wire", "msgpack", typed=typed + "plain words\n"
    )
    assert (code, err) == (0, "")
    said = [json.loads(line) for line in out.splitlines()]
    answers = {item.get("id"): item for item in said if item["event"] in {"reply", "failure"}}
    assert answers[1]["data"]["room"] == room
    assert answers["two"]["data"]["seq"] == 1
    assert (answers[3]["event"], answers[3]["code"]) == ("failure", "forbidden")
    assert any("not a command" in item.get("message", "") for item in said)
    assert "one" in [item.get("content") for item in said]
    assert any(item["event"] == "connected" for item in said)


async def test_a_script_may_stay(cluster: Cluster, room: str) -> None:
    """With --stay it listens after the end of its input."""
    said = "to whom it may concern"
    async with (
        ChatClient(cluster.url, username="ann", listen=False) as ann,
        asyncio.timeout(20),
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        async with terminal(
            cluster.url,
            "--name",
            "bot",
            "--room",
            room,
            "--json",
            "--stay",
            stdin=asyncio.subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            assert json.loads(await anext(process.stdout))["event"] == "connected"
            while json.loads(await anext(process.stdout))["event"] != "reply":
                pass
            await ann.send(room, said)
            while json.loads(await anext(process.stdout)).get("content") != said:
                pass


async def test_a_reader_that_goes_away(cluster: Cluster, room: str) -> None:
    """When nobody reads its output any more, it ends without a traceback."""
    async with terminal(
        cluster.url, "--name", "ann", "--room", room, "--create", "--json"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        await anext(process.stdout)
        process.stdout._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - no other way
        process.stdin.write(b"one\ntwo\n" * 50)
        async with asyncio.timeout(20):
            assert await process.stderr.read() == b""
            assert await process.wait() == 1


async def test_says_why_it_cannot_begin(cluster: Cluster, room: str) -> None:
    """No chat, no such room, a bad address and a bad name: one sentence and an exit code each."""
    ends = await asyncio.gather(
        run(f"{cluster.url}/elsewhere", "--name", "ann"),
        run(cluster.url, "--name", "ann", "--room", room),
        run("ftp://host", "--name", "ann"),
        run(cluster.url, "--name", " ann"),
    )
    assert [code for code, _, _ in ends] == [1, 1, 2, 2]
    for (_, _, err), said in zip(
        ends, ["does not take", "no such room", "ftp", "space"], strict=True
    ):
        assert said in err
        assert err.count("\n") == 1


async def test_a_person_in_a_terminal(cluster: Cluster, room: str) -> None:
    """In a terminal names have colours, typing is told, and what is said replaces the line."""
    tty = Tty()
    environ = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
    ends = {"stdin": tty.far, "stdout": tty.far, "stderr": tty.far, "env": environ}
    async with (
        ChatClient(cluster.gateway_url(1), username="bob") as bob,
        terminal(cluster.url, "--name", "ann", "--room", room, "--create", **ends) as process,
    ):
        await tty.wait_for(f"{room}> ")
        await bob.join_room(room)
        tty.type("hel")
        await until(bob, TypingEvent, lambda event: event.username == "ann")
        await bob.send(room, "hello there")
        await tty.wait_for(rf"\x1b\[1;38;5;\d+mbob\x1b\[0m: hello there\r\n{room}> hel$")
        tty.type("lo\n")
        assert (await messages_until(bob, "hello"))[-1].sender == "ann"
        tty.type("/quit\n")
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def test_no_colours(cluster: Cluster, room: str) -> None:
    """With NO_COLOR a terminal shows none."""
    tty = Tty()
    environ = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    ends = {"stdin": tty.far, "stdout": tty.far, "stderr": tty.far, "env": environ}
    async with terminal(cluster.url, "--name", "ann", "--room", room, "--create", **ends):
        await tty.wait_for(f"{room}> ")
        tty.type("plain\n")
        await tty.wait_for(r"ann: plain\r\n")
        assert re.search(r"\x1b\[[0-9;]*m", tty.shown) is None


async def test_a_gateway_is_killed_under_a_person(cluster: Cluster, room: str) -> None:
    """The terminal says that it reconnects, and with how many messages it caught up."""
    gateways = (cluster.gateway_url(1), cluster.gateway_url(2))
    async with (
        ChatClient(gateways, username="bob", listen=False) as bob,
        terminal(*gateways, "--name", "ann", "--room", room, "--create") as process,
        asyncio.timeout(20),
    ):
        assert process.stdout is not None
        doomed = gateway_in(cluster, await shows(process, "-- connected: "))
        await shows(process, "you are in")
        await bob.join_room(room)
        killed = cluster.kill(doomed)
        await bob.send(room, "while you were away")
        assert process.stdin is not None
        process.stdin.write(b"and back\n")
        said = b""
        while b"caught up" not in said or b"ann: and back" not in said:
            said += await anext(process.stdout)
        assert b"reconnecting..." in said
        assert said.count(b"while you were away") == 1
        assert said.count(b"ann: and back") == 1
        await cluster.wait_restarted(doomed, killed)
