"""`durable` events: tells clients that SQL has what they sent."""

import asyncio
from collections import defaultdict
from typing import Final, NamedTuple

from gateway.connections.connection import State
from gateway.protocols.payloads import DurablePayload, ResumeRequiredPayload
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
"""Seconds between two checks of positions, for announcements that pub/sub lost."""


STORED_EPOCH: Final = 0
"""Epoch of a send that was found in SQL instead of being accepted by the broker."""


class DurableRequest(NamedTuple):
    """A send whose client asked for `durable`."""

    client: Client
    room: Room
    id: int
    seq: int
    epoch: int


class Durability:
    """Sends `durable` when the persister publishes that its position has passed a send.

    Attributes:
        task: checks positions that pub/sub may have lost.
    """

    def __init__(self, probe: PartitionProbe, reader: Reader) -> None:
        self._probe = probe
        self._reader = reader
        self._pending: defaultdict[int, list[DurableRequest]] = defaultdict(list)
        self.task = PeriodicTask(self._check, CHECK_INTERVAL_SECONDS, "durability")

    def notify_when_stored(self, client: Client, room: Room, sent: Accepted) -> None:
        """Send `durable` to a client once SQL has its send; soon if it was found there."""
        request = DurableRequest(client, room, sent.id, sent.seq, sent.epoch)
        if sent.epoch == STORED_EPOCH:
            # After the reply: before it, a client does not know which of its sends has this seq.
            asyncio.get_running_loop().call_soon(_send_durable, [request])
            return
        self._pending[partition_of_id(sent.id)].append(request)

    def committed(self, position: Committed) -> None:
        """Handle a position: SQL has what the position's epoch accepted up to it."""
        requests = self._pending.pop(position.partition, [])
        stored: list[DurableRequest] = []
        left: list[DurableRequest] = []
        # `durable` covers all of the client's earlier sends in the room. Example: epoch 1 accepts
        # seq 7 and Redis loses it; epoch 2 accepts seq 5008, and the position passes it. Sent now,
        # `durable` 5008 would tell the client that 7 is stored too. So it waits until
        # `_look_up_older` has found 7 in SQL, or has sent `resume_required`.
        unresolved = {(r.client, r.room.id) for r in requests if r.epoch < position.epoch}
        for request in requests:
            # Positions of epoch 2 are above the counter of 7 although 7 is lost, so counters are
            # compared within one epoch only.
            passed = request.epoch == position.epoch and counter_of(request.id) <= position.position
            done = passed and (request.client, request.room.id) not in unresolved
            (stored if done else left).append(request)
        if left:
            self._pending[position.partition] = left
        _send_durable(stored)

    async def _check(self) -> None:
        if not self._pending:
            return
        try:
            states = await self._probe.states()
        except UNAVAILABLE:
            return
        for number, state in enumerate(states):
            if state.epoch is not None and number in self._pending:
                self.committed(Committed(number, state.epoch, state.position))
                await self._look_up_older(number, state.epoch)

    async def _look_up_older(self, number: int, epoch: int) -> None:
        """Look up in SQL what earlier epochs accepted.

        That is final: the owner of a partition stores what is left of an epoch before it opens the
        next one.
        """
        older = [request for request in self._pending[number] if request.epoch < epoch]
        for request in older:
            try:
                found = await self._reader.locate_message(request.id)
            except ChatError:
                return  # the next check follows in a second
            self._pending[number].remove(request)
            if found:
                _send_durable([request])
            else:
                _announce_loss(request)
        if not self._pending[number]:
            del self._pending[number]


def _send_durable(stored: list[DurableRequest]) -> None:
    """Send one `durable` to each connection and room, with the highest seq."""
    highest: dict[tuple[Client, int], DurableRequest] = {}
    for request in stored:
        key = (request.client, request.room.id)
        if key not in highest or highest[key].seq < request.seq:
            highest[key] = request
    for request in highest.values():
        if request.room.kind == "direct":
            payload = DurablePayload(request.seq, chat_id=request.room.id)
        else:
            payload = DurablePayload(request.seq, room=request.room.name)
        connection = request.client.connection
        if connection.state is not State.GONE:
            connection.emit("durable", payload)


def _announce_loss(request: DurableRequest) -> None:
    """Send `resume_required` before the next `durable`, which does not cover the lost send.

    The hub sends it to the members of the room when its partition opens anew. A client that had
    left the room at that time, and joins again, would take the next `durable` for all its sends.
    """
    room, connection = request.room, request.client.connection
    chats = [room.id] if room.kind == "direct" else []
    if connection.state is not State.GONE:
        rooms = [] if chats else [room.name]
        connection.emit("resume_required", ResumeRequiredPayload(rooms, chats))
