"""Commands of an operator: list dead letters, and try to store them again."""

from collections.abc import Callable

from persister.batch import Unreadable, make_batch
from persister.writer import Refused, Writer
from shared.broker.partitions.rows import Entry
from shared.broker.partitions.stream import DeadLetters
from shared.codec import CodecError, decode

PrintLine = Callable[[str], None]


async def list_letters(letters: DeadLetters, print_line: PrintLine) -> None:
    """Print a line for each dead letter: location, kind and error, without users' content."""
    found = await letters.all()
    for letter in found:
        reason = letter.reason.splitlines()[0] if letter.reason else "unknown"
        for entry in letter.entries:
            location = f"{letter.partition}/{entry.counter}  {entry.room_key}"
            print_line(f"{location}  {_describe(entry)}  {reason}")
    print_line(f"{len(found)} dead {'letter' if len(found) == 1 else 'letters'}")


async def retry_letters(letters: DeadLetters, writer: Writer, print_line: PrintLine) -> bool:
    """Store each dead letter in place of its void; keep those that are refused again.

    Returns:
        True if none was refused.
    """
    stored = 0
    found = await letters.all()
    for letter in found:
        try:
            await writer.restore(make_batch(letter.entries, 0))
        except (Refused, Unreadable) as error:
            location = f"{letter.partition}/{letter.entries[-1].counter}"
            print_line(f"{location}  still refused: {str(error).splitlines()[0]}")
            continue
        await letters.remove(letter)
        stored += 1
    print_line(f"{stored} stored, {len(found) - stored} left")
    return stored == len(found)


def _describe(entry: Entry) -> str:
    if entry.whole_row:
        return f"unreadable row, {len(entry.data)} bytes"
    try:
        event = decode(entry.data)
    except CodecError:
        return f"unreadable, {len(entry.data)} bytes"
    return f"{type(event.body).__name__} seq {event.seq}"
