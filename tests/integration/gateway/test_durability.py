"""The word `durable`, when the broker loses what it accepted."""

from gateway.connections.flusher import Flusher
from gateway.rooms.durability import Durability
from shared.model.events import Committed
from shared.model.ids import counter_of, partition_of_id
from tests.support.ear import Ear
from tests.support.stage import Stage


async def test_no_word_covers_what_was_lost(stage: Stage) -> None:
    """The word for a send of a new epoch waits until what the epoch before accepted is looked up.

    It covers every lower place, and a client would take a lost send for stored.
    """
    ear = Ear(Flusher())
    durability = Durability(stage.probe, stage.reader)
    async with stage.storing() as stop_storing:
        room = await stage.make()
        await stage.send(room, "stored")
        await stage.trimmed()
        await stop_storing()
        lost = await stage.send(room, "lost")
    await stage.server.flush()
    async with stage.storing():
        await stage.in_epoch(2)
        kept = await stage.insist(room, "kept")
        await stage.all_stored(room, 2)
        durability.notify_when_stored(ear.client, room, lost)
        durability.notify_when_stored(ear.client, room, kept)
        word = Committed(partition_of_id(kept.id), kept.epoch, counter_of(kept.id))
        durability.committed(word)
        assert ear.connection.all_sent  # nothing is said: the lost one is not looked up yet
        durability.task.start()
        received = [await ear.receive(), await ear.receive()]
        await durability.task.close()
    # In no room, it hears of the loss before the word that seems to cover it.
    assert received == [
        {"event": "resume_required", "data": {"rooms": ["general"], "chats": []}},
        {"event": "durable", "data": {"room": "general", "seq": kept.seq}},
    ]
