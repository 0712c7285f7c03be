"""What an Engine.IO server may be told: intervals, and bounds on what a client may cost."""

from typing import Final

import msgspec

NOOP_DELAY_SECONDS: Final = 0.05
"""Seconds a poll is held while a WebSocket takes over: until then its client would poll again."""

PACKET_OVERHEAD_BYTES: Final = 64
"""Bytes that it costs to keep a packet, whatever its length."""

LINGER_SECONDS: Final = 30.0
"""Seconds a closed polling session waits for the poll that tells its client."""


class EngineSettings(msgspec.Struct, frozen=True):
    """Settings of an Engine.IO server.

    Attributes:
        ping_interval: milliseconds between a pong and the next ping.
        ping_timeout: milliseconds a client has for its pong.
        max_payload: bytes of a POST at the most, and of a packet.
        max_packets: packets in a POST at the most.
        upgrade_timeout: milliseconds an upgrade may take.
        max_unsent: bytes that may wait for a client; one that leaves more unread is closed.
    """

    ping_interval: int = 25_000
    ping_timeout: int = 20_000
    max_payload: int = 1_000_000
    max_packets: int = 1_000
    upgrade_timeout: int = 10_000
    max_unsent: int = 4_000_000

    @property
    def silence(self) -> float:
        """Seconds that a session lives without a word of its client."""
        return (self.ping_interval + self.ping_timeout) / 1000
