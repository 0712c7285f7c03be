"""The gateways' beats: whether the broker works for this one, and how many connections all have."""

import asyncio
from collections.abc import Callable
from typing import Final

from shared.broker.rooms.publisher import Publisher
from shared.config import incarnation
from shared.essential import PeriodicTask
from shared.model.events import GatewayHeartbeat

HEARTBEAT_INTERVAL_SECONDS: Final = 0.5
HEARTBEAT_TIMEOUT_SECONDS: Final = 3.0
"""Seconds after which a beat that was not followed by another counts no more."""


class HeartbeatMonitor:
    """Beats, and listens to beats, by this process's monotonic clock.

    Attributes:
        task: beats.
        incarnation: which gateway, and which of its lives.
        presence: the number of this gateway's last change of presence, so that others miss none.
    """

    def __init__(self, publisher: Publisher, name: str, connections: Callable[[], int]) -> None:
        """Prepare.

        Args:
            publisher: where beats go.
            name: the gateway's.
            connections: how many this gateway has.
        """
        self._publisher = publisher
        self._connections = connections
        self._count = 0
        self._heard: dict[str, tuple[float, int]] = {}
        self.task = PeriodicTask(
            self._send_heartbeat, HEARTBEAT_INTERVAL_SECONDS, "pulse", at_once=True
        )
        self.incarnation = incarnation(name)
        self.presence_version = 0

    @property
    def is_fresh(self) -> bool:
        """Whether a beat of this gateway has come back lately: the broker carries messages."""
        return self._is_fresh(self.incarnation)

    @property
    def gateways(self) -> dict[str, int]:
        """The connections of each gateway that was heard lately, by incarnation."""
        others = {name: count for name, (_, count) in self._heard.items() if self._is_fresh(name)}
        return {**others, self.incarnation: self._connections()}

    @property
    def connections(self) -> int:
        """Connections of the whole cluster, as of the last beats."""
        return sum(self.gateways.values())

    def receive(self, beat: GatewayHeartbeat) -> None:
        """Take a beat, our own or another's."""
        now = asyncio.get_running_loop().time()
        self._heard[beat.incarnation] = (now, beat.connections)
        for name in [name for name in self._heard if not self._is_fresh(name)]:
            del self._heard[name]

    def _is_fresh(self, name: str) -> bool:
        at, _ = self._heard.get(name, (-HEARTBEAT_TIMEOUT_SECONDS, 0))
        return asyncio.get_running_loop().time() - at < HEARTBEAT_TIMEOUT_SECONDS

    def _send_heartbeat(self) -> None:
        self._count += 1
        beat = GatewayHeartbeat(
            self.incarnation, self._count, self._connections(), self.presence_version
        )
        self._publisher.broadcast(self.incarnation, beat, turn=self._count)
