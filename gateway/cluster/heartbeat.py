"""Heartbeats of gateways: a check that the broker works, and the cluster's connection count."""

import asyncio
from collections.abc import Callable
from typing import Final

from shared.broker.rooms.publisher import Publisher
from shared.config import incarnation
from shared.essential import PeriodicTask
from shared.model.events import GatewayHeartbeat

HEARTBEAT_INTERVAL_SECONDS: Final = 0.5
HEARTBEAT_TIMEOUT_SECONDS: Final = 3.0
"""Seconds without another heartbeat after which a gateway no longer counts."""

GATEWAY_TIMEOUT_SECONDS: Final = 6.0
"""Seconds without a heartbeat after which a gateway's users have gone."""


class HeartbeatMonitor:
    """Sends this gateway's heartbeats and receives all gateways' ones, its own included.

    Attributes:
        task: sends heartbeats.
        incarnation: unique name of this run of this gateway.
        on_return: called when heartbeats come back after a time without any: this process was
            paused, or the broker was away. The others may have taken this gateway for dead.
        last_beats: time of each other gateway's last heartbeat by the event loop's clock. It stays
            until the gateway's users are gone.
        presence_version: number of this gateway's last change of presence. Each heartbeat carries
            it, so that others notice a change that they missed.
    """

    def __init__(self, publisher: Publisher, name: str, connections: Callable[[], int]) -> None:
        """Prepare to send heartbeats.

        Args:
            publisher: publishes the heartbeats.
            name: the gateway's name.
            connections: returns the number of this gateway's connections.
        """
        self._publisher = publisher
        self._connections = connections
        self._count = 0
        # Time of the last heartbeat by the event loop's clock, and connections, by incarnation.
        self._received: dict[str, tuple[float, int]] = {}
        self.task = PeriodicTask(
            self._send_heartbeat, HEARTBEAT_INTERVAL_SECONDS, "heartbeat", at_once=True
        )
        self.incarnation = incarnation(name)
        self.last_beats: dict[str, float] = {}
        self.on_return: Callable[[], None] = lambda: None
        # Since when this gateway's own heartbeats come back without a pause.
        self._fresh_since: float | None = None
        self.presence_version = 0

    @property
    def is_fresh(self) -> bool:
        """True if a heartbeat of this gateway has come back lately: the broker carries messages."""
        return self._is_fresh(self.incarnation)

    @property
    def may_judge(self) -> bool:
        """True if silence of others means that they have died.

        It does not if this gateway hears nothing at all, not even itself. Example: the broker is
        away for 10 s. Then nobody has died, and all users would go offline on every gateway.
        """
        since = self._fresh_since
        now = asyncio.get_running_loop().time()
        return self.is_fresh and since is not None and now - since > GATEWAY_TIMEOUT_SECONDS

    @property
    def gateways(self) -> dict[str, int]:
        """Number of connections of each running gateway, by incarnation."""
        others = {
            name: count for name, (_, count) in self._received.items() if self._is_fresh(name)
        }
        return {**others, self.incarnation: self._connections()}

    @property
    def connections(self) -> int:
        """Number of connections of the whole cluster, as of the last heartbeats."""
        return sum(self.gateways.values())

    @property
    def present(self) -> list[str]:
        """Incarnations of the gateways whose users have not gone, this one first."""
        oldest = asyncio.get_running_loop().time() - GATEWAY_TIMEOUT_SECONDS
        others = [name for name, at in self.last_beats.items() if at >= oldest]
        return [self.incarnation, *others]

    def receive(self, beat: GatewayHeartbeat) -> None:
        """Handle a heartbeat, of this gateway or another one."""
        now = asyncio.get_running_loop().time()
        if beat.incarnation != self.incarnation:
            self.last_beats[beat.incarnation] = now
        elif not self.is_fresh:
            if self._fresh_since is not None:
                self.on_return()
            self._fresh_since = now
        self._received[beat.incarnation] = (now, beat.connections)
        for name in [name for name in self._received if not self._is_fresh(name)]:
            del self._received[name]

    def _is_fresh(self, name: str) -> bool:
        at, _ = self._received.get(name, (-HEARTBEAT_TIMEOUT_SECONDS, 0))
        return asyncio.get_running_loop().time() - at < HEARTBEAT_TIMEOUT_SECONDS

    def _send_heartbeat(self) -> None:
        self._count += 1
        beat = GatewayHeartbeat(
            self.incarnation, self._count, self._connections(), self.presence_version
        )
        self._publisher.broadcast(self.incarnation, beat, turn=self._count)
