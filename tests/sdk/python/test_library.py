"""The installed wheel as a library: imported, type-checked, and under a bot."""

import sys
from pathlib import Path

from parley_chat import ChatClient, Message
from tests.integration.clients.python.listening import direct_until, until
from tests.sdk.python.installed import EXAMPLES, Environment, call
from tests.support.cluster import Cluster

CONSUMER = """
import asyncio

from parley_chat import ChatClient, ChatError, ConnectionPolicy, Event, HistoryPage, Message
from parley_chat import NewMessage
from parley_chat.constants import MAX_NAME_CHARACTERS, RETRYABLE_ERRORS


async def fetch() -> str:
    return "a token"


async def newest(client: ChatClient, room: str) -> list[str]:
    page: HistoryPage = await client.history(room, limit=10)
    return [message.content for message in page.items if message.sender != client.username]


async def main() -> None:
    urls = ["http://one", "http://two"]
    async with ChatClient(urls, token=fetch, policy=ConnectionPolicy(pause=1.0)) as client:
        accepted = await client.send("general", "hello"[:MAX_NAME_CHARACTERS])
        seq: int = accepted.seq
        try:
            direct = await client.messages(chat_id=7, before=seq)
        except ChatError as error:
            retryable: bool = error.code in RETRYABLE_ERRORS
            print(error.message, retryable)
        event: Event
        async for event in client.events():
            match event:
                case Message(room=room, content=content):
                    print(room.upper(), content.upper())
                case NewMessage(chat_id=chat_id):
                    print(chat_id + 1, direct[0].receiver_id)


asyncio.run(main())
"""


def test_import_from_an_empty_folder(plain: Environment) -> None:
    """Without the repository, every public name is there, and the version is that of the wheel."""
    code = (
        "import parley_chat, importlib.metadata as metadata;"
        "[getattr(parley_chat, name) for name in parley_chat.__all__];"
        "print(parley_chat.__file__, metadata.version('parley-chat'))"
    )
    where, version = call(plain.python, "-c", code, cwd=plain.cwd).split()
    assert Path(where).is_relative_to(plain.bin.parent)
    assert version == "0.1.0"


def test_types(full: Environment, tmp_path: Path) -> None:
    """A typed program passes mypy in strict mode, and one that misuses the client does not."""
    checker = (sys.executable, "-m", "mypy", "--strict", "--python-executable", full.python)
    options = (*checker, "--config-file=", f"--cache-dir={tmp_path}/cache")
    consumer = tmp_path / "consumer.py"
    consumer.write_text(CONSUMER)
    assert "Success" in call(*options, consumer, cwd=tmp_path)
    consumer.write_text(CONSUMER.replace("accepted.seq", "accepted.sequence"))
    assert 'has no attribute "sequence"' in call(*options, consumer, cwd=tmp_path, ends=1)


async def test_a_bot(plain: Environment, cluster: Cluster, room: str) -> None:
    """The example of a bot makes its room, and rolls dice when it is asked to."""
    bot = str(EXAMPLES / "python-bot" / "bot.py")
    async with (
        plain.running("python", bot, cluster.url, room) as process,
        ChatClient(cluster.url, username="ann") as ann,
    ):
        assert process.stdout is not None
        assert await process.stdout.readline() == f"dice is in {room}\n".encode()
        await ann.join_room(room)
        await ann.send(room, "!roll 3d1")
        rolled, _ = await until(ann, Message, lambda message: message.sender == "dice")
        assert rolled.content == "ann rolled 1, 1, 1"


async def test_an_answering_machine(plain: Environment, cluster: Cluster, room: str) -> None:
    """The example of an answering machine tells what is unread, and answers what comes."""
    user = f"owner of {room}"
    machine = str(EXAMPLES / "answering-machine" / "machine.py")
    async with ChatClient(cluster.url, username="ann") as ann:
        await ann.go_online("ann")
        await ann.send_to(user, "early")
        async with plain.running("python", machine, cluster.url, user) as process:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"1 unread: early\n"
            assert await process.stdout.readline() == f"answering for {user}\n".encode()
            await ann.send_to(user, "late")
            assert await process.stdout.readline() == b"ann: late\n"
            await direct_until(ann, "I am away, but I got: late")
