"""Direct chats in the terminal."""

import asyncio
import json

from parley_chat import ChatClient, MessageDeleted, Seen
from tests.integration.clients.python.listening import (
    direct_among,
    direct_until,
    until,
)
from tests.integration.clients.python.terminals import run, shows, terminal
from tests.support.cluster import Cluster
from tests.support.waiting import HANGS_AFTER


async def test_a_person_talks_to_another(cluster: Cluster, users: tuple[int, str]) -> None:
    """A direct chat is opened, talked in, seen and deleted from; other users come in between."""
    ann, bob = users
    arguments = (cluster.gateway_url(1), "--user", str(ann), "--dm", bob)
    async with (
        ChatClient(cluster.gateway_url(2)) as client,
        ChatClient(cluster.gateway_url(2), username=f"{bob} too", listen=False) as third,
        terminal(*arguments) as process,
        asyncio.timeout(HANGS_AFTER),
    ):
        assert process.stdin is not None
        assert process.stdout is not None

        async def exchange(typed: str, shown: str) -> str:
            process.stdin.write(f"{typed}\n".encode())  # type: ignore[union-attr]
            return await shows(process, shown)

        await exchange("", f"-- you write to {bob}")
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
    assert answers[7]["data"]["chat"]["user2Id"] == ann  # notes
    assert {"newChat", "newMessage", "messageDeleted"} <= {item["event"] for item in said}
