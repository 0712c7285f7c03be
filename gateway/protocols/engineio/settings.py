"""The settings of an Engine.IO server: intervals, and limits on what a client may use."""

from typing import Final

import msgspec

NOOP_DELAY_SECONDS: Final = 0.05
"""Seconds a poll waits during an upgrade. Answered at once, its client would poll again at once."""

PACKET_OVERHEAD_BYTES: Final = 64
"""Bytes of memory for each waiting packet, beside its own."""

LOW_WATER_BYTES: Final = 16_384
"""Bytes that may wait for a poll, or a WebSocket, when a long answer is made."""

LINGER_SECONDS: Final = 30.0
"""Seconds a closed polling session is kept for the poll whose answer says that it is closed."""


class EngineSettings(msgspec.Struct, frozen=True):
    """Settings of an Engine.IO server.

    Attributes:
        ping_interval: milliseconds between a pong and the next ping.
        ping_timeout: milliseconds a client has to answer a ping.
        max_payload: bytes that a POST or a packet may have.
        max_packets: packets that a POST may have.
        upgrade_timeout: milliseconds that an upgrade may take.
        max_unsent: bytes that may wait for a client before its session is closed.
    """

    ping_interval: int = 25_000
    ping_timeout: int = 20_000
    max_payload: int = 1_000_000
    max_packets: int = 1_000
    upgrade_timeout: int = 10_000
    max_unsent: int = 4_000_000

    @property
    def silence(self) -> float:
        """Seconds after which a session ends whose client sends nothing."""
        return (self.ping_interval + self.ping_timeout) / 1000
