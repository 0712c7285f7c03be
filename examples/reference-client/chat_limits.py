"""Limits of a server, and the ends of requests that it does not answer as asked.

Numbers in comments are the steps of "Writing a client".
"""

import json
from typing import Any

Data = dict[str, Any]

SENDS = {"message", "sendMessage"}
HALF_A_PAIR = "a character was cut in two"


class Refused(Exception):
    """The server answered with an error, or would. Decide by `code` and `retryable`."""

    def __init__(self, error: Any) -> None:  # noqa: ANN401 - any JSON (3.8)
        told = error if isinstance(error, dict) else {}
        self.code = told.get("code", "internal")
        super().__init__(f"{self.code}: {told.get('message', '')}")
        self.retryable = told.get("retryable", False)
        self.wait = told.get("retryAfterMs", 0) / 1000  # seconds


class Disconnected(Exception):
    """The connection was lost before the answer: whether the request was done is not known."""


class Unanswered(Exception):
    """Nothing answered the request in time: whether it was done is not known."""


class Stopped(Exception):
    """The client was closed, or the server will not have it."""


def too_large(size: int) -> Refused:
    """Return the refusal of a frame of so many bytes."""
    return Refused({"code": "too_long", "message": f"the frame has {size} bytes"})


class Limits:
    """The limits of a server; until it has said them, what every server takes (1)."""

    max_content, max_frame = 4000, 65_536

    def take(self, welcome: Data) -> None:
        """Learn them from a `welcome`."""
        self.max_content = welcome.get("maxContent", self.max_content)
        self.max_frame = welcome.get("maxFrame", self.max_frame)

    def frame(self, event: str, data: Any, number: int) -> bytes:  # noqa: ANN401 - any JSON
        """Encode a request; raise `Refused` where the server would refuse it (7.7)."""
        if event in SENDS:
            self._check(data["content"])
        frame = {"event": event, "data": data, "id": number}
        try:
            encoded = json.dumps(frame, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Refused({"code": "bad_request", "message": HALF_A_PAIR}) from None
        if len(encoded) > self.max_frame:
            raise too_large(len(encoded))
        return encoded

    def _check(self, content: str) -> None:
        if not content or "\0" in content:
            raise Refused({"code": "bad_request", "message": "the text is empty, or has NUL"})
        if len(content) > self.max_content:
            message = f"a message has at most {self.max_content} characters"
            raise Refused({"code": "too_long", "message": message})
