"""Errors that are sent to clients, each with a code of the protocol."""

from shared.protocol.errors import ERRORS, Code, Reason


class ChatError(Exception):
    """Something a client asked for cannot be done.

    Attributes:
        code: one of the protocol's codes; programs decide by it.
        message: a sentence for a person, without anything secret.
        retryable: whether the same request may succeed later, unchanged.
        retry_after: milliseconds after which to try again; None if unknown.
        reason: which of the causes of the code it is; None where it is not told.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        retry_after: int | None = None,
        reason: Reason | None = None,
    ) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.retryable = ERRORS[code].retryable
        self.retry_after = retry_after
        self.reason = reason

    def payload(self) -> dict[str, str | bool | int]:
        """Return what the client gets: `{code, message, retryable}`.

        It may have `retryAfterMs` and `reason` too.
        """
        payload: dict[str, str | bool | int] = {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
        }
        if self.retry_after is not None:
            payload["retryAfterMs"] = self.retry_after
        if self.reason is not None:
            payload["reason"] = self.reason
        return payload


def rate_limited(retry_after: int) -> ChatError:
    """That was too much at once.

    Args:
        retry_after: milliseconds after which it may be asked again.
    """
    return ChatError("rate_limited", "too much at once, try again later", retry_after)


def broker_unavailable() -> ChatError:
    """The broker cannot be reached, or this partition is not open."""
    return ChatError("broker_unavailable", "the broker is not available, try again")


def storage_unavailable() -> ChatError:
    """The database cannot be reached."""
    return ChatError("storage_unavailable", "the database is not available, try again")
