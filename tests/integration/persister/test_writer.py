"""What may be written: the claim, checked in the transaction of the rows."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from persister.batch import Batch, make_batch
from persister.writer import Claim, LostPartition, Refused, Writer
from shared import codec
from shared.broker.partitions.rows import Entry
from shared.model.formats import NEWEST
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate
from tests.support.events import created, message
from tests.support.storage import Database


class Books:
    """A writer and the database it writes."""

    def __init__(self, writer: Writer, database: Database) -> None:
        self.writer = writer
        self.database = database

    async def seqs(self) -> list[int]:
        """The places that are stored."""
        return [seq for (seq,) in await self.database.rows("SELECT seq FROM events ORDER BY seq")]

    async def position(self, number: int = 0) -> int:
        """How far a partition is stored."""
        query = "SELECT position FROM partitions WHERE number = ?"
        return int(await self.database.value(query, number))


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    """Two partitions, and nothing in them."""
    database = Database(tmp_path / "parley.db")
    engine = open_engine(database.url, writes=True)
    await migrate(engine, partitions=2)
    yield Books(Writer(engine), database)
    await engine.dispose()


def batch(*seqs: int, room: int = 7) -> Batch:
    """Messages at these places, as entries of the same numbers."""
    entries = [Entry(seq, "r:a", codec.encode(message(seq, room=room))) for seq in seqs]
    return make_batch(entries, 0)


def copy(claim: Claim, **changes: object) -> Claim:
    return Claim(**{**msgspec.structs.asdict(claim), **changes})


async def test_rows_and_position_together(books: Books) -> None:
    """A batch's rows and its position are there after the commit, and the claim knows."""
    claim = await books.writer.claim(0, "a")
    await books.writer.store([(claim, batch(1, 2, 3))])
    assert (await books.seqs(), await books.position(), claim.position) == ([1, 2, 3], 3, 3)


async def test_another_owner_fails_whole(books: Books) -> None:
    """A batch of an owner whose partition was claimed by another writes nothing."""
    old = await books.writer.claim(0, "a")
    new = await books.writer.claim(0, "b")
    with pytest.raises(LostPartition):
        await books.writer.store([(old, batch(1))])
    assert (await books.seqs(), await books.position()) == ([], 0)
    await books.writer.store([(new, batch(1))])
    assert await books.seqs() == [1]


@pytest.mark.parametrize("changes", [{"position": 1}, {"position": 5}, {"epoch": 1}, {"number": 9}])
async def test_claim_that_is_out_of_date_fails_whole(books: Books, changes: dict[str, int]) -> None:
    """A batch by an owner's own older word of position or epoch writes nothing."""
    claim = await books.writer.claim(0, "a")
    await books.writer.store([(claim, batch(1, 2))])
    with pytest.raises(LostPartition):
        await books.writer.store([(copy(claim, **changes), batch(3))])
    assert (await books.seqs(), await books.position()) == ([1, 2], 2)


async def test_one_lost_claim_fails_all(books: Books) -> None:
    """Of a transaction over two partitions, one of them lost, nothing is written."""
    mine, lost = await books.writer.claim(0, "a"), await books.writer.claim(1, "a")
    await books.writer.claim(1, "b")
    with pytest.raises(LostPartition) as caught:
        await books.writer.store([(mine, batch(1)), (lost, batch(2, room=8))])
    assert caught.value.number == 1
    assert (await books.seqs(), mine.position, await books.position()) == ([], 0, 0)


async def test_refused_data_fails_all(books: Books) -> None:
    """A batch with a place that is taken writes nothing and moves no position."""
    claim = await books.writer.claim(0, "a")
    await books.writer.store([(claim, batch(1))])
    with pytest.raises(Refused):
        await books.writer.store([(claim, batch(2, 1))])
    assert (await books.seqs(), claim.position, await books.position()) == ([1], 1, 1)


async def test_new_epoch_shuts_out_the_old(books: Books) -> None:
    """Once an epoch is raised, what still names the old one fails, and so does raising it again."""
    claim = await books.writer.claim(0, "a")
    old = copy(claim)
    await books.writer.raise_epoch(claim, 100, NEWEST)
    assert (claim.epoch, claim.position, await books.position()) == (1, 100, 100)
    for work in (books.writer.store([(old, batch(1))]), books.writer.raise_epoch(old, 200, NEWEST)):
        with pytest.raises(LostPartition):
            await work
    assert (await books.seqs(), await books.position()) == ([], 100)


async def test_known_rooms(books: Books) -> None:
    """Of some keys, those that are rooms in SQL are known."""
    claim = await books.writer.claim(0, "a")
    entries = [Entry(n, f"r:{n}", codec.encode(created(str(n), room=n))) for n in (1, 2)]
    await books.writer.store([(claim, make_batch(entries, 1))])
    assert sorted(await books.writer.known_rooms(["r:1", "r:2", "r:3"])) == ["r:1", "r:2"]


async def test_epoch_of_what_survived(books: Books) -> None:
    """Rows keep the epoch they were given in when the partition moves on."""
    claim = await books.writer.claim(0, "a")
    await books.writer.raise_epoch(claim, 0, NEWEST)
    await books.writer.store([(claim, make_batch(batch(1).entries, claim.epoch))])
    await books.writer.raise_epoch(claim, 10, NEWEST)
    assert await books.database.rows("SELECT seq, epoch FROM events") == [(1, 1)]
