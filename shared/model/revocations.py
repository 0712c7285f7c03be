"""Revocations: the tokens and the connections of users that an operator has ended."""

from typing import Literal

import msgspec

RevocationKind = Literal["token", "user", "disconnect"]


class Revocation(msgspec.Struct, frozen=True):
    """An operator's word on a token or a user; there is one of each kind for a subject.

    Attributes:
        kind: `token`: the token with the id (`jti`) `subject` is not accepted. `user`: nor are the
            user's tokens that were issued before `before`. `disconnect`: the user's connections of
            that time have ended.
        subject: the id of a token, or the name of a user.
        number: grows with each revocation and each change of one, in the whole installation.
        at: time at which it was made or changed, in milliseconds since 1970.
        before: for a user, milliseconds since 1970; else 0.
        until: time from which on it is without effect, in milliseconds since 1970; None for never.
    """

    kind: RevocationKind
    subject: str
    number: int
    at: int
    before: int = 0
    until: int | None = None

    def is_over(self, now: float) -> bool:
        """Return True if it is without effect at a time, in seconds since 1970."""
        return self.until is not None and self.until <= now * 1000
