"""`python -m parley_chat`, as people and scripts run it."""

import asyncio
import json

from parley_chat import ChatClient, TypingEvent
from tests.integration.clients.python.listening import (
    gateway_in,
    messages_until,
    restarted,
    until,
)
from tests.integration.clients.python.terminals import Tty, run, shows, terminal
from tests.support.cluster import Cluster
from tests.support.waiting import HANGS_AFTER


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
    async with terminal(*arguments) as process, asyncio.timeout(HANGS_AFTER):
        assert process.stdin is not None
        assert process.stdout is not None
        for typed, shown in exchanges:
            process.stdin.write(f"{typed}\n".encode())
            while shown not in (line := (await anext(process.stdout)).decode()):
                assert "\x1b" not in line
        process.stdin.close()
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")


async def test_what_cannot_be_sent_is_shown_again(cluster: Cluster, room: str) -> None:
    """A person gets the text that was not sent back, with the reason, and can go on."""
    typed = f"{'x' * 4001}\nnext\n"
    _, out, _ = await run(cluster.url, "--name", "ann", "--room", room, "--create", typed=typed)
    refused = f"!! not sent: '{'x' * 4001}': a message has at most 4000 characters"
    assert refused in out
    assert "reconnecting" not in out
    async with ChatClient(cluster.url, username="bob", listen=False) as bob:
        assert [message.content for message in (await bob.join_room(room)).history] == ["next"]


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
        {"command": "nope", "id": 4},
        {"command": "say", "room": room, "content": "cut\ud83d off", "id": 5},
        {"command": "say", "room": room, "content": "x" * 70_000, "id": 6},
        {"command": "say", "room": room, "content": "last", "id": 7},
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
    assert [answers[n].get("code") for n in (4, 5, 6)] == [None, "bad_request", "too_long"]
    assert answers[7]["data"]["seq"] == 2
    assert any("not a command" in item.get("message", "") for item in said)
    assert "one" in [item.get("content") for item in said]
    assert any(item["event"] == "connected" for item in said)


async def test_a_script_may_stay(cluster: Cluster, room: str) -> None:
    """With --stay it listens after the end of its input."""
    said = "to whom it may concern"
    async with (
        ChatClient(cluster.url, username="ann", listen=False) as ann,
        asyncio.timeout(HANGS_AFTER),
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
        async with asyncio.timeout(HANGS_AFTER):
            assert await process.stderr.read() == b""
            assert await process.wait() == 1


async def test_says_why_it_cannot_begin(cluster: Cluster, room: str) -> None:
    """No chat, no such room, a bad address and a bad name: one sentence and an exit code each."""
    ends = await asyncio.gather(
        run(f"{cluster.url}/elsewhere", "--name", "ann"),
        run(cluster.url, "--name", "ann", "--room", room),
        run("ftp://host", "--name", "ann"),
        run(cluster.url, "--name", "a\u200bb"),
    )
    assert [code for code, _, _ in ends] == [1, 1, 2, 1]
    for (_, _, err), said in zip(
        ends, ["refuses the connection", "no such room", "ftp", "U+200B"], strict=True
    ):
        assert said in err
        assert err.count("\n") == 1


async def test_a_person_in_a_terminal(cluster: Cluster, room: str) -> None:
    """In a terminal names have colours, typing is told, and what is said replaces the line."""
    tty = Tty()
    async with (
        ChatClient(cluster.gateway_url(1), username="bob") as bob,
        terminal(
            cluster.url, "--name", "ann", "--room", room, "--create", **tty.streams
        ) as process,
    ):
        await tty.wait_for(f"{room}>")
        await bob.join_room(room)
        tty.type("hel")
        await until(bob, TypingEvent, lambda event: event.username == "ann")
        await bob.send(room, "hello there")
        await tty.wait_for(rf"\x1b\[1;38;5;\d+mbob: hello there\r\n{room}> hel$")
        tty.type("lo\r")
        assert (await messages_until(bob, "hello"))[-1].sender == "ann"
        tty.type("/quit\r")
        async with asyncio.timeout(HANGS_AFTER):
            assert await process.wait() == 0


async def test_no_colours(cluster: Cluster, room: str) -> None:
    """With NO_COLOR a terminal shows none."""
    tty = Tty(no_color="1")
    async with terminal(cluster.url, "--name", "ann", "--room", room, "--create", **tty.streams):
        await tty.wait_for(f"{room}>")
        tty.type("plain\r")
        await tty.wait_for(r"ann: plain\r\n")
        assert "\x1b" not in tty.shown


async def test_a_gateway_is_killed_under_a_person(cluster: Cluster, room: str) -> None:
    """The terminal says that it reconnects, and with how many messages it caught up."""
    gateways = (cluster.gateway_url(1), cluster.gateway_url(2))
    async with (
        ChatClient(gateways, username="bob", listen=False) as bob,
        terminal(*gateways, "--name", "ann", "--room", room, "--create") as process,
        asyncio.timeout(HANGS_AFTER),
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
        await restarted(cluster, doomed, killed)
