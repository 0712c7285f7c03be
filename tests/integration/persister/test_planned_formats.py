"""When a partition goes to a newer format: as planned, and never because something failed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from shared.broker.partitions.members import Membership
from shared.model import formats
from shared.storage.tables import SCHEMA
from tests.support.stage import Stage
from tests.support.waiting import eventually

OLDER, NEWER = formats.NEWEST, formats.NEWEST + 1

LONG_AGO = 3_600_000
FORGOTTEN = 16_000
"""Milliseconds."""


@contextmanager
def newer_build() -> Iterator[None]:
    """What starts within the block reads one more format."""
    with patch.object(formats, "NEWEST", NEWER):
        yield


def older_gateway(stage: Stage) -> Membership:
    return Membership(stage.server.pipe(), stage.keys, "older", "gateway", schema=SCHEMA)


async def formats_of(stage: Stage) -> set[int]:
    return {number for (number,) in await stage.database.rows("SELECT format FROM partitions")}


async def opened_long_ago(stage: Stage) -> None:
    """Partitions that were opened in the older format, an hour ago."""
    async with stage.storing():
        pass
    opened = int(time.time() * 1000) - LONG_AGO
    for part in stage.keys.partitions:
        await stage.client.hset(part.record, "opened", str(opened))


async def test_goes_to_what_all_read(stage: Stage) -> None:
    """What was open for long goes to the newest format that every living process reads."""
    await opened_long_ago(stage)

    async def gone() -> bool:
        return await formats_of(stage) == {NEWER}

    with newer_build():
        async with stage.storing():
            await eventually(gone)


async def test_a_failure_changes_no_format(stage: Stage) -> None:
    """A broker that was away for so long that nobody counts as living opens as it was before."""
    await opened_long_ago(stage)
    older = older_gateway(stage)
    await older.announce()
    for part in stage.keys.partitions:
        # As a server has it that was started again: another replid, words from before.
        await stage.client.hset(part.record, "replid", "0" * 40)
        word = await stage.server.admin.hget(part.members, "older")
        said, _, at = word.decode().rpartition(" ")
        await stage.client.hset(part.members, "older", f"{said} {int(at) - FORGOTTEN}")
    with newer_build():
        async with stage.storing():
            assert await formats_of(stage) == {OLDER}
            await older.announce()  # or the gateway would have to end
