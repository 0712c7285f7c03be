"""Dead letters: listed, or tried to be stored again, by a command or on the operator's port."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from persister.batch import Unreadable, make_batch
from persister.commands.printing import print_line
from persister.writer import OUTAGE, Refused, Writer, writing_engine
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.rows import Entry
from shared.broker.partitions.stream import DeadLetters
from shared.broker.transport.client import UNAVAILABLE, connect
from shared.broker.transport.reach import reach_broker
from shared.codec import CodecError, decode
from shared.config import ConfigError, Settings
from shared.errors import broker_unavailable, storage_unavailable
from shared.operator.acting import Answer, done
from shared.storage.installation import read_installation
from shared.storage.reach import reach_database

PrintLine = Callable[[str], None]


async def list_letters(letters: DeadLetters, say: PrintLine = print_line) -> None:
    """Print a line for each dead letter: location, kind and error, without users' content."""
    found = await letters.all()
    for letter in found:
        reason = letter.reason.splitlines()[0] if letter.reason else "unknown"
        for entry in letter.entries:
            location = f"{letter.partition}/{entry.counter}  {entry.room_key}"
            say(f"{location}  {_describe(entry)}  {reason}")
    say(f"{len(found)} dead {'letter' if len(found) == 1 else 'letters'}")


class Retried(msgspec.Struct, frozen=True):
    """Outcome of a try to store the dead letters.

    Attributes:
        stored: how many letters are in the database now.
        left: how many are still set aside.
        refused: a line for each of these, with its location and the reason.
    """

    stored: int
    left: int
    refused: list[str]


async def retry_letters(letters: DeadLetters, writer: Writer) -> Retried:
    """Store each dead letter in place of its void; keep those that are refused again."""
    stored, refused = 0, []
    for letter in await letters.all():
        try:
            await writer.restore(make_batch(letter.entries, 0))
        except (Refused, Unreadable) as error:
            location = f"{letter.partition}/{letter.entries[-1].counter}"
            refused.append(f"{location}  still refused: {str(error).splitlines()[0]}")
            continue
        await letters.remove(letter)
        stored += 1
    return Retried(stored, len(refused), refused)


@asynccontextmanager
async def opened_letters(settings: Settings) -> AsyncIterator[tuple[DeadLetters, Writer]]:
    """Open the dead letters of an installation, and a writer for them.

    Raises:
        ConfigError: the database holds no installation.
    """
    engine = writing_engine(settings)
    client = connect(settings.redis_url)
    try:
        found = await read_installation(engine)
        if found is None:
            raise ConfigError("this database holds no installation: start a persister on it first")
        keys = Keyspace(found.namespace, found.partitions)
        yield DeadLetters(client, keys), Writer(engine)
    finally:
        await client.aclose()
        await engine.dispose()


async def handle_dead_letters(settings: Settings, action: str) -> bool:
    """List the dead letters, or try to store them. Return True if none failed."""
    await reach_broker(settings.redis_url)
    engine = writing_engine(settings)
    await reach_database(engine)
    await engine.dispose()
    async with opened_letters(settings) as (letters, writer):
        if action == "list":
            await list_letters(letters)
            return True
        retried = await retry_letters(letters, writer)
    for line in (*retried.refused, f"{retried.stored} stored, {retried.left} left"):
        print_line(line)
    return not retried.left


def retry_on_request(settings: Settings) -> Answer:
    """Try to store the dead letters, for `POST /dead-letters/retry`; in a thread of its own.

    Raises:
        ChatError: `broker_unavailable` or `storage_unavailable`.
    """

    async def retry() -> Retried:
        async with opened_letters(settings) as (letters, writer):
            return await retry_letters(letters, writer)

    try:
        return done(asyncio.run(retry()))
    except (ConfigError, *OUTAGE):  # without an installation, the database is not prepared yet
        raise storage_unavailable() from None
    except UNAVAILABLE:
        raise broker_unavailable() from None


def _describe(entry: Entry) -> str:
    if entry.whole_row:
        return f"unreadable row, {len(entry.data)} bytes"
    try:
        event = decode(entry.data)
    except CodecError:
        return f"unreadable, {len(entry.data)} bytes"
    return f"{type(event.body).__name__} seq {event.seq}"
