"""Close codes of WebSockets: what each means, and whether a client connects again after it."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, Literal, NamedTuple

Reconnect = Literal["yes", "token", "new_token", "no"]
"""The rule for a client after a close code.

`yes`: connect again after a random pause that grows with each failure.
`token`: connect again where the client has a token to show; else the close is final.
`new_token`: get a fresh token and connect again; where the client cannot get one, the close is
    final. It is final too if the connection with the fresh token ends in the same way.
`no`: the close is final, as another connection would end in the same way.
"""


class CloseRule(NamedTuple):
    """Meaning of a close code for a client.

    Attributes:
        reconnect: whether to connect again.
        meaning: what happened.
        action: what a client should do.
    """

    reconnect: Reconnect
    meaning: str
    action: str


class CloseCode(IntEnum):
    """Reason for the end of a WebSocket (RFC 6455, section 7.4; 4400 and up are Parley's own)."""

    NORMAL_CLOSURE = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    # Stands for a connection that ended without a close frame; nobody sends it (section 7.1.5).
    ABNORMAL_CLOSURE = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    INVALID_FRAMES = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    IDENTITY_TIMEOUT = 4408
    TOO_MANY_REQUESTS = 4429


CLOSES: Final[Mapping[CloseCode, CloseRule]] = {
    CloseCode.NORMAL_CLOSURE: CloseRule(
        "yes", "The connection was closed as asked.", "Connect again unless you asked for it."
    ),
    CloseCode.GOING_AWAY: CloseRule(
        "yes",
        "The server is leaving, an operator disconnected the user, or another connection took over "
        "this one's session.",
        "Connect again and resume.",
    ),
    CloseCode.PROTOCOL_ERROR: CloseRule(
        "yes",
        "The client's bytes break the WebSocket protocol.",
        "Correct the client or what stands between it and the server; connect again and resume.",
    ),
    CloseCode.ABNORMAL_CLOSURE: CloseRule(
        "yes",
        "The connection ended without a close frame. The server never sends this code; client "
        "libraries report it when the network or the gateway failed.",
        "Connect again and resume.",
    ),
    CloseCode.INVALID_DATA: CloseRule(
        "yes",
        "A text frame is not valid UTF-8.",
        "Correct the client; connect again and resume.",
    ),
    CloseCode.POLICY_VIOLATION: CloseRule(
        "no",
        "The client broke a rule of the server, such as sending a message in too many fragments.",
        "Stop. Correct the client.",
    ),
    CloseCode.MESSAGE_TOO_BIG: CloseRule(
        "yes",
        "A frame has more bytes than the server takes.",
        "Connect again and resume. The largest request without an answer was too large: do not "
        "send it again.",
    ),
    CloseCode.INTERNAL_ERROR: CloseRule(
        "yes", "The server failed in a way it did not expect.", "Connect again and resume."
    ),
    CloseCode.SERVICE_RESTART: CloseRule(
        "yes",
        "The gateway is stopping. `reconnect` came before, unless the connection was just made.",
        "Connect again, which leads to another gateway, and resume.",
    ),
    CloseCode.TRY_AGAIN_LATER: CloseRule(
        "yes",
        "The client did not read what was sent to it (`lagged` came before), or the server could "
        "not check who it is.",
        "Connect again and resume. What the client has not seen comes with the resume.",
    ),
    CloseCode.INVALID_FRAMES: CloseRule(
        "no", "The client's frames are not those of this protocol.", "Stop. Correct the client."
    ),
    CloseCode.UNAUTHORIZED: CloseRule(
        "new_token",
        "The token or ticket is missing, not valid, expired or revoked, or the server takes none.",
        "Get a fresh token, connect again and resume. Without one, ask the person to sign in.",
    ),
    CloseCode.FORBIDDEN: CloseRule(
        "no",
        "The client said it is another user than its token names.",
        "Stop. Connect without a name, or with the one in the token.",
    ),
    CloseCode.IDENTITY_TIMEOUT: CloseRule(
        "token",
        "The client did not say who it is in time.",
        "With a token, connect again, send `authenticate` at once, and resume: a slow network can "
        "hold a token up. Without one, ask the person to sign in.",
    ),
    CloseCode.TOO_MANY_REQUESTS: CloseRule(
        "yes",
        "The user connected too often, the connection was refused too much in a short time, or its "
        "address is as many guests as it may be.",
        "Wait at least 5 s, then connect again and resume.",
    ),
}
"""All close codes."""
