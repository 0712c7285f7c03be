"""Errors that the client raises."""

from parley_chat.constants import RETRYABLE_ERRORS


class ChatError(Exception):
    """Coded error of the server: a request cannot be carried out.

    Attributes:
        code: a code of the protocol (`parley_chat.constants.ErrorCode`), or one that only a newer
            server knows; decide by it.
        message: one sentence for a person.
        retryable: whether the same request may succeed later, unchanged.
        retry_after: milliseconds after which it may succeed; None if the server did not say.
        reason: which of the causes of the code it is: "banned" of `forbidden`, where the user is
            banned from a room without a password; None if the server did not say.
    """

    def __init__(
        self,
        code: str,
        message: str,
        retry_after: int | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = code in RETRYABLE_ERRORS
        self.retry_after = retry_after
        self.reason = reason


class ConnectionLost(ConnectionError):
    """Connection that ended before the answer: the request may or may not have been carried out."""


class Unreachable(ConnectionError):
    """Failure to reach any server; the text is one sentence for a person."""


class Refused(ConnectionError):
    """Refusal of this client by the server, which another attempt would not change."""
