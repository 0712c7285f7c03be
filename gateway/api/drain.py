"""Drain: sends clients to other gateways one after the other, before this gateway stops."""

import asyncio
import random

from gateway.api.gateway import Gateway
from gateway.connections.connection import Connection
from gateway.protocols.payloads import ReconnectPayload
from shared.protocol.closes import CloseCode
from shared.telemetry import logger

SPREAD_FRACTION = 0.8
"""Part of DRAIN_SECONDS over which clients are sent away; the rest is left for them to leave."""

log = logger(__name__)


async def drain(gateway: Gateway) -> None:
    """Send all clients to other gateways, spread over DRAIN_SECONDS, and wait until they left."""
    gateway.cluster.readiness.draining = True
    gateway.cluster.presence.freeze()
    gateway.cluster.guests.leave_all()
    connections = [client.connection for client in gateway.rooms.fan_out.clients]
    if not connections:
        return
    seconds = gateway.settings.drain_seconds
    log.info("draining", connections=len(connections), seconds=seconds)
    random.shuffle(connections)
    leaving = [
        asyncio.create_task(
            _send_away(connection, seconds * SPREAD_FRACTION * n / len(connections))
        )
        for n, connection in enumerate(connections)
    ]
    await asyncio.wait(leaving, timeout=seconds)


async def _send_away(connection: Connection, after: float) -> None:
    connection.emit("reconnect", ReconnectPayload(int(after * 1000)))
    # A client that closes its connection in time is not closed by us.
    try:
        async with asyncio.timeout(after + 1.0):
            await connection.wait_until_gone()
    except TimeoutError:
        connection.end(CloseCode.SERVICE_RESTART)
        await connection.wait_until_gone()
