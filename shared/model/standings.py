"""Standings of users in a room: moderators, bans, and kicks."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from shared.model.changes import StandingChange, at

STANDINGS: Final = ("moderator", "banned", "kicked")
"""The standings that a user may have, as columns in SQL.

In the broker's record of the room, the field of a standing is `<name>:<user>`.
"""


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """The standings of all users in a room. Other users are ordinary members.

    Attributes:
        moderators: users whom the owner made moderators.
        banned: users who may not enter.
        kicked: the seq of a user's last kick, by user. Memberships and grants from before it are
            void.
    """

    moderators: frozenset[str] = frozenset()
    banned: frozenset[str] = frozenset()
    kicked: dict[str, int] = {}

    @classmethod
    def of(cls, facts: Iterable[tuple[str, str, int]]) -> "Standings":
        """Make standings from tuples as `facts` yields them, in any order."""
        found: dict[str, dict[str, int]] = {name: {} for name in STANDINGS}
        for name, user, value in facts:
            if value and name in found:
                found[name][user] = value
        if not any(found.values()):
            return NO_STANDINGS
        moderators, banned, kicked = found.values()
        return cls(moderators=frozenset(moderators), banned=frozenset(banned), kicked=kicked)

    def facts(self) -> Iterator[tuple[str, str, int]]:
        """Yield each standing: one of STANDINGS, the user, and 1 or, for a kick, its seq."""
        for user in self.moderators:
            yield "moderator", user, 1
        for user in self.banned:
            yield "banned", user, 1
        for user, seq in self.kicked.items():
            yield "kicked", user, seq

    def __len__(self) -> int:
        return len(self.moderators) + len(self.banned | self.kicked.keys())

    def names(self, user: str) -> bool:
        """Return True if a user has any standing."""
        return user in self.moderators or user in self.banned or user in self.kicked

    def after(self, change: StandingChange, seq: int) -> "Standings":
        """The standings after a change by the event with `seq`."""
        user, fields = change.user, at(change.fields, seq)
        return Standings(
            moderators=_updated(self.moderators, user, fields.get("moderator")),
            banned=_updated(self.banned, user, fields.get("banned")),
            kicked={**self.kicked, user: int(fields["kicked"])}
            if "kicked" in fields
            else self.kicked,
        )


NO_STANDINGS: Final = Standings()


def _updated(users: frozenset[str], user: str, present: object) -> frozenset[str]:
    """The users with `user` added (True) or removed (False), or unchanged (None)."""
    if present is None:
        return users
    return users | {user} if present else users - {user}
