"""Revoked tokens: what this gateway knows of them, from SQL."""

import time
from collections.abc import Iterable

from gateway.access.tokens import Bearer
from shared.errors import ChatError
from shared.model.revocations import Revocation, RevocationKind
from shared.trail import LoginError


class Revocations:
    """The revocations that this gateway knows.

    Attributes:
        complete: True once all were read. Before that no token is accepted, as any could be
            a revoked one. Afterwards what is known counts also while SQL is away.
        last: the newest one that was read; None for none.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[RevocationKind, str], Revocation] = {}
        self.complete = False
        self.last: Revocation | None = None

    def learn(self, found: Iterable[Revocation]) -> list[Revocation]:
        """Take in what was read, in the order of numbers.

        Returns:
            Those that are new or changed, and have an effect.
        """
        now, news = time.time(), list[Revocation]()
        for each in found:
            self.last = each
            key = each.kind, each.subject
            if each.is_over(now):
                self._known.pop(key, None)
            elif self._known.get(key) != each:
                self._known[key] = each
                news.append(each)
        self.complete = True
        return news

    def forget_ended(self) -> None:
        """Drop those that are without effect by now."""
        now = time.time()
        for key in [key for key, each in self._known.items() if each.is_over(now)]:
            del self._known[key]

    def revokes(self, bearer: Bearer) -> bool:
        """Return True if a token is revoked.

        A token that does not say when it was issued counts as issued before any time.
        """
        if bearer.token_id and ("token", bearer.token_id) in self._known:
            return True
        of_user = self._known.get(("user", bearer.user))
        issued = bearer.issued or 0.0
        return of_user is not None and issued * 1000 < of_user.before

    def check(self, bearer: Bearer) -> None:
        """Check that a token is not revoked.

        Raises:
            LoginError: it is.
            ChatError: `storage_unavailable` as long as it cannot be known.
        """
        if not self.complete:
            raise ChatError(
                "storage_unavailable", "which tokens are revoked cannot be read now, try again"
            )
        if self.revokes(bearer):
            raise LoginError("token_revoked", "the token was revoked")
