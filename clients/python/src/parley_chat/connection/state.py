"""The states of a client."""

from enum import StrEnum


class State(StrEnum):
    """State of a client."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"
