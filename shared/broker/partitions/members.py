"""The living processes of an installation: each announces what it reads, and hears what all do.

This is how old and new builds live side by side. A process announces itself in every partition
before it relies on one, and the script that opens an epoch in a format looks at who is announced
there (`announce.lua`, `open_partition.lua`): either it sees the process, and does not open what it
cannot read, or the process sees the new format, and refuses to run.
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
"""Seconds between two words of a process; those who are silent for 15 s count as dead."""

Role = Literal["gateway", "persister"]

UNKNOWN_DATABASE: Final = DatabaseIdentity()


class AnotherDatabase(ConfigError):
    """The installation is stored in another database than this process works with.

    Attributes:
        later: this one is to take its place, once a persister that works with it starts.
    """

    def __init__(self, namespace: str, status: bytes) -> None:
        what = (
            "a persister that runs" if status == b"in use" else "the installation's last persister"
        )
        super().__init__(
            f"{what} stores the installation {namespace} in another database: end what works with "
            "the other one, then `python -m persister adopt` goes on with this one in its place, "
            "or `python -m persister new-identity` makes it an installation of its own"
        )
        self.later = status == b"later"


class MembershipReply(NamedTuple):
    """What a partition answered.

    Attributes:
        written_in: its format; 0 before it was first opened.
        all_read: the newest format that every living process reads.
        persisters: how many of them live.
        schema: the lowest schema of SQL that a living process knows.
    """

    written_in: int
    all_read: int
    persisters: int
    schema: int


class Membership:
    """This process among the living ones."""

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
        """Prepare; `announce` says it.

        Args:
            pipe: to the broker.
            keys: of the installation.
            incarnation: who this is.
            role: what it is.
            schema: of SQL, as this build knows it.
            database: which one it works with.
            lease_seconds: after which a silent persister does not count any more.
        """
        self._pipe = pipe
        self._keys = keys
        self._words: list[Word] = [
            *(incarnation, role, formats.OLDEST, formats.NEWEST),
            *(schema, int(lease_seconds * 1000)),
            *(database.name, database.place, database.adoptions),
        ]
        self.incarnation = incarnation
        self._announce = PipedScript(pipe, "announce")

    async def announce(self) -> list[MembershipReply]:
        """Be counted in every partition; what each answers.

        Raises:
            ConfigError: a partition is in a format that this build does not know.
            AnotherDatabase: the installation is stored in another one.
            UNAVAILABLE: the broker is away.
        """
        calls = [
            self._announce([part.record, part.members, part.database], self._words)
            for part in self._keys.partitions
        ]
        return [self._read_reply(*answer) for answer in await asyncio.gather(*calls)]

    async def leave(self) -> None:
        """Be counted no more.

        Raises:
            UNAVAILABLE: the broker is away; then silence tells in time.
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


def is_persister(word: bytes) -> bool:
    """Whether what a process announced, as the broker keeps it, is a persister's word."""
    return word.startswith(b"persister ")
