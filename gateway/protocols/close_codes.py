"""Why the server ends a WebSocket (RFC 6455, section 7.4; 4400 and up are ours)."""

from enum import IntEnum
from typing import Final


class CloseCode(IntEnum):
    """Close codes a client may see."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    NOT_UTF8 = 1007
    POLICY = 1008
    TOO_BIG = 1009
    OUR_FAULT = 1011
    RESTARTING = 1012
    TRY_LATER = 1013
    BAD_FRAMES = 4400
    WHO_ARE_YOU = 4401
    NOT_ALLOWED = 4403
    NO_IDENTITY_IN_TIME = 4408
    TOO_FAST = 4429


GONE: Final = 1006
"""Stands for the code of a client that went without a word (section 7.1.5); nobody sends it."""
