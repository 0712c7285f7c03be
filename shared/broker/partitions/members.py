"""Membership: each running process announces the formats it reads, and learns those of all others.

This lets old and new builds run side by side. A process announces itself in every partition before
it uses one (`announce.lua`). The script that opens an epoch in a format reads these announcements
(`open_partition.lua`). Scripts run one after the other, so there are two cases: the opening script
sees the process and does not choose a format that the process cannot read, or the process sees the
new format and refuses to run.
"""

import asyncio
from typing import Final, Literal, NamedTuple

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.broker.transport.resp import Word, pack
from shared.config import ConfigError
from shared.model import formats
from shared.model.database import DatabaseIdentity

ANNOUNCE_INTERVAL_SECONDS: Final = 3.0
"""Seconds between two announcements of a process. One silent for 15 s is removed."""

MAX_OUTAGE_CHARACTERS: Final = 200
"""Characters of an announced outage."""

Role = Literal["gateway", "persister"]

UNKNOWN_DATABASE: Final = DatabaseIdentity()


class AnotherDatabase(ConfigError):
    """The installation is stored in another database than the one this process works with.

    Attributes:
        later: this process's database was adopted, and takes the other's place as soon as a
            persister starts on it.
    """

    def __init__(self, namespace: str, status: bytes) -> None:
        what = "a running persister" if status == b"in use" else "the installation's last persister"
        super().__init__(
            f"{what} stores the installation {namespace} in another database: stop the processes "
            "that use the other one, then run `python -m persister adopt` to go on with this one "
            "in its place, or `python -m persister new-identity` to make it an installation of "
            "its own"
        )
        self.later = status == b"later"


class MembershipReply(NamedTuple):
    """The answer of a partition to an announcement.

    Attributes:
        written_in: the partition's format; 0 before it was first opened.
        all_read: the newest format that every running process reads.
        persisters: the number of running persisters.
        schema: the lowest SQL schema that a running process knows.
    """

    written_in: int
    all_read: int
    persisters: int
    schema: int


class Membership:
    """The announcements of this process.

    Attributes:
        outage: why this process cannot do its work now, for the status page; '' if it can.
    """

    def __init__(
        self,
        pipe: Pipe,
        keys: Keyspace,
        incarnation: str,
        role: Role,
        *,
        schema: int = 0,
        database: DatabaseIdentity = UNKNOWN_DATABASE,
        lease_seconds: float = 0.0,
    ) -> None:
        """Prepare; nothing is sent before `announce`.

        Args:
            pipe: connects to the broker.
            keys: the installation's keys.
            incarnation: this process's incarnation.
            role: `gateway` or `persister`.
            schema: the SQL schema that this build knows.
            database: the database that this process works with; unknown by default.
            lease_seconds: a persister silent for longer no longer gets a share of partitions.
        """
        self._pipe = pipe
        self._keys = keys
        self._words: list[Word] = [
            *(incarnation, role, formats.OLDEST, formats.NEWEST),
            *(schema, int(lease_seconds * 1000)),
            *(database.name, database.place, database.adoptions),
        ]
        self.incarnation = incarnation
        self.outage = ""
        self._announce = PipedScript(pipe, "announce")

    async def announce(self) -> list[MembershipReply]:
        """Announce this process in every partition; return the answers in their order.

        Raises:
            ConfigError: a partition is in a format that this build does not know.
            AnotherDatabase: the installation is stored in another database.
            UNAVAILABLE: the broker is away.
        """
        words = [*self._words, self.outage[:MAX_OUTAGE_CHARACTERS]]
        calls = [
            self._announce([part.record, part.members, part.database], words)
            for part in self._keys.partitions
        ]
        return [self._read_reply(*answer) for answer in await asyncio.gather(*calls)]

    async def leave(self) -> None:
        """Take back the announcements, at the end of the process.

        Raises:
            UNAVAILABLE: the broker is away; the announcements expire after 15 s.
        """
        words = [pack("HDEL", part.members, self.incarnation) for part in self._keys.partitions]
        await asyncio.gather(*map(self._pipe.call, words))

    def _read_reply(
        self, status: bytes, written_in: int, all_read: int, persisters: int, schema: int
    ) -> MembershipReply:
        if status == b"unread":
            raise ConfigError(formats.refusal(written_in))
        if status != b"counted":
            raise AnotherDatabase(self._keys.namespace, status)
        return MembershipReply(written_in, all_read, persisters, schema)


def outage_of_persister(word: bytes) -> str | None:
    """Return the outage in an announcement, as the broker stores it; None if no persister's."""
    role, *_, outage = (*word.decode(errors="replace").split(" ", 5), "", "")[:6]
    return outage if role == "persister" else None
