"""Formats: who may work with the data, and what is written while builds differ."""

import signal
from typing import Any

import pytest

from shared.broker.partitions.members import Membership
from shared.model.formats import NEWEST
from tests.support.ports import free_port
from tests.support.process import Process, run
from tests.support.stage import Stage
from tests.support.waiting import eventually

SENTENCE = f"the data is in format {NEWEST + 1}, and this build reads "


async def rewrite(stage: Stage, number: int) -> None:
    """Let the broker's records, as a newer build leaves them, name a format."""
    for part in stage.keys.partitions:
        await stage.server.admin.hset(part.record, "format", number)


@pytest.mark.parametrize("module", ["persister", "gateway"])
async def test_a_process_that_cannot_read_the_data_does_not_start(
    stage: Stage, module: str
) -> None:
    """Where a partition is in a format that it does not know, a process says so and ends."""
    async with stage.storing():
        pass
    await rewrite(stage, NEWEST + 1)
    code, _, said = await run(module, env={**stage.env, "PORT": str(free_port())})
    assert (code, said.count("Traceback")) == (2, 0), said
    assert said.splitlines()[-1].startswith(SENTENCE)


@pytest.mark.parametrize("module", ["persister", "gateway"])
async def test_nor_where_only_sql_tells(stage: Stage, module: str) -> None:
    """The same where the broker came back empty, and SQL says what its data was."""
    async with stage.storing():
        pass
    await stage.server.flush()
    await stage.database.run("UPDATE partitions SET format = ?", NEWEST + 1)
    code, _, said = await run(module, env={**stage.env, "PORT": str(free_port())})
    assert (code, said.count("Traceback")) == (2, 0), said
    assert said.splitlines()[-1].startswith(SENTENCE)


@pytest.mark.parametrize("module", ["persister", "gateway"])
async def test_a_process_ends_when_the_data_moves_on(stage: Stage, module: str) -> None:
    """A process that fell behind the data's format says so and ends, rather than misread it."""
    gateway = Process("gateway", {**stage.env, "PORT": str(free_port())})
    async with stage.running() as persister, gateway:
        await gateway.receive("gateway starts")
        process = persister if module == "persister" else gateway
        await rewrite(stage, NEWEST + 1)
        await process.receive(SENTENCE)

        async def ended() -> bool:
            return process.ended

        await eventually(ended)


async def test_no_epoch_opens_in_what_a_living_process_does_not_read(stage: Stage) -> None:
    """A partition is not opened in a format that a process does not read which is announced."""
    async with stage.storing():
        pass
    older = Membership(stage.server.pipe(), stage.keys, "older", "gateway")
    await older.announce()
    part = stage.keys[0]
    owner = stage.partition_broker()
    await owner.close(0)
    seen = await owner.state(0)
    assert await owner.open(0, 9, seen, 10**7, NEWEST + 1) == "unread"
    assert await stage.server.admin.hget(part.record, "epoch") is None
    await older.leave()
    assert await owner.open(0, 9, seen, 10**7, NEWEST + 1) == "open"


async def test_everything_kept_names_its_format(stage: Stage) -> None:
    """Records, rows, events and remembered client ids carry the number of their format."""
    async with stage.running() as persister:
        room = await stage.make()
        await stage.send(room, "stored")
        await stage.all_stored(room, 1)
        persister.signal(signal.SIGSTOP)
        await stage.send(room, "waiting")
        admin: Any = stage.server.admin
        part = stage.keys.of(room.key)
        number = str(NEWEST).encode()
        assert await admin.hget(part.record, "format") == number
        assert await admin.hget(part.room(room.key), "format") == number
        for _, row in await admin.xrange(part.stream):
            assert row[b"format"] == number
        for _, row in await admin.xrange(part.log(room.key)):
            assert row[b"e"][1] == NEWEST
        heads = [head for key in part.once for head in (await admin.hgetall(key)).items()]
        assert {head[1] for name, head in heads if name} == {NEWEST}
