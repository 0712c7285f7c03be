"""The second word for a send: SQL has it."""

import asyncio
from collections import defaultdict
from typing import Final, NamedTuple

import msgspec

from gateway.connections.connection import State
from gateway.protocols.payloads import ResumeRequiredPayload
from gateway.rooms.client import Client
from shared.broker.partitions.partitions import PartitionProbe
from shared.broker.rooms.send import Accepted
from shared.broker.transport.client import UNAVAILABLE
from shared.errors import ChatError
from shared.essential import PeriodicTask
from shared.model.events import Committed
from shared.model.ids import counter_of, partition_of_id
from shared.model.rooms import Room
from shared.storage.reader import Reader

CHECK_INTERVAL_SECONDS: Final = 1.0
"""Seconds between two looks at positions, for words that pub/sub lost."""


EPOCH_OF_STORED: Final = 0
"""Stands for the epoch of a send that was looked up."""


class DurableRequest(NamedTuple):
    """A send whose client wants to hear when SQL has it."""

    client: Client
    room: Room
    id: int
    seq: int
    epoch: int


class DurablePayload(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """`durable`: everything of this client in the room or chat up to `seq` is in SQL."""

    seq: int
    room: str | None = None
    chat_id: int | None = None


class Durability:
    """Waits for the positions that the persister publishes after its commits.

    Attributes:
        task: looks for what pub/sub lost.
    """

    def __init__(self, probe: PartitionProbe, reader: Reader) -> None:
        self._probe = probe
        self._reader = reader
        self._wanted: defaultdict[int, list[DurableRequest]] = defaultdict(list)
        self.task = PeriodicTask(self._look, CHECK_INTERVAL_SECONDS, "durability")

    def notify_when_stored(self, client: Client, room: Room, sent: Accepted) -> None:
        """Tell a client when SQL has what it sent; at once if it was found there."""
        wanted = DurableRequest(client, room, sent.id, sent.seq, sent.epoch)
        if sent.epoch == EPOCH_OF_STORED:
            # After the reply: before it, a client does not know which of its sends this is.
            asyncio.get_running_loop().call_soon(_tell, [wanted])
            return
        self._wanted[partition_of_id(sent.id)].append(wanted)

    def committed(self, word: Committed) -> None:
        """Take a position: what was accepted in its epoch up to there is in SQL."""
        waiting = self._wanted.pop(word.partition, [])
        stored: list[DurableRequest] = []
        left: list[DurableRequest] = []
        # A word covers all below it: it waits until what an earlier epoch accepted there is
        # looked up, or a client would take what was lost with that epoch for stored.
        unsure = {(w.client, w.room.id) for w in waiting if w.epoch < word.epoch}
        for wanted in waiting:
            done = wanted.epoch == word.epoch and counter_of(wanted.id) <= word.position
            done = done and (wanted.client, wanted.room.id) not in unsure
            (stored if done else left).append(wanted)
        if left:
            self._wanted[word.partition] = left
        _tell(stored)

    async def _look(self) -> None:
        if not self._wanted:
            return
        try:
            states = await self._probe.states()
        except UNAVAILABLE:
            return
        for number, state in enumerate(states):
            if state.epoch is not None and number in self._wanted:
                self.committed(Committed(number, state.epoch, state.position))
                await self._look_up_older(number, state.epoch)

    async def _look_up_older(self, number: int, epoch: int) -> None:
        """Of what an earlier epoch accepted SQL has all or nothing more is to come."""
        older = [wanted for wanted in self._wanted[number] if wanted.epoch < epoch]
        for wanted in older:
            try:
                found = await self._reader.locate_message(wanted.id)
            except ChatError:
                return  # the next look is soon
            self._wanted[number].remove(wanted)
            if found:
                _tell([wanted])
            else:
                _tell_lost(wanted)
        if not self._wanted[number]:
            del self._wanted[number]


def _tell(stored: list[DurableRequest]) -> None:
    """One word for each connection and room: the highest place."""
    highest: dict[tuple[Client, int], DurableRequest] = {}
    for wanted in stored:
        key = (wanted.client, wanted.room.id)
        if key not in highest or highest[key].seq < wanted.seq:
            highest[key] = wanted
    for wanted in highest.values():
        if wanted.room.kind == "direct":
            payload = DurablePayload(wanted.seq, chat_id=wanted.room.id)
        else:
            payload = DurablePayload(wanted.seq, room=wanted.room.name)
        connection = wanted.client.connection
        if connection.state is not State.GONE:
            connection.emit("durable", payload)


def _tell_lost(wanted: DurableRequest) -> None:
    """Say before the next word that it does not cover what was lost.

    The hub tells whoever is in the room when its partition is opened anew. Who had left it, or
    was offline, and comes back would take that word for all it sent there.
    """
    room, connection = wanted.room, wanted.client.connection
    chats = [room.id] if room.kind == "direct" else []
    if connection.state is not State.GONE:
        rooms = [] if chats else [room.name]
        connection.emit("resume_required", ResumeRequiredPayload(rooms, chats))
