"""Names of keys and channels: each begins with the installation's namespace.

`<namespace>:{<tag>}:<rest>`. The namespace keeps installations apart that share a server: channels
know no database numbers. All keys and channels of a partition have its hash tag (see `slots`), so a
script may use them together; nothing lies outside of a partition, so nothing is in one slot only.
"""

from dataclasses import dataclass

from shared.broker.partitions.slots import hash_tags
from shared.model.ids import partition_of_key


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """The keys of one partition.

    Attributes:
        number: which partition.
        prefix: what all of its keys and channels begin with.
    """

    number: int
    prefix: str

    def _key(self, rest: str) -> str:
        return self.prefix + rest

    @property
    def record(self) -> str:
        """Hash: format, epoch, replid, counter, position, number, partitions, opened and more."""
        return self._key("partition")

    @property
    def stream(self) -> str:
        """Stream of events on their way to SQL; entry ids are `<counter of the last>-0`."""
        return self._key("stream")

    @property
    def held(self) -> str:
        """Sorted set: the rooms held in the broker, by when they were last seen active."""
        return self._key("held")

    @property
    def unstored(self) -> str:
        """Sorted set: the rooms created and not yet in SQL, by name."""
        return self._key("unstored")

    @property
    def lease(self) -> str:
        """The owner's lease, which expires."""
        return self._key("lease")

    @property
    def members(self) -> str:
        """Hash: the living processes, by incarnation, with what each reads (see `members`)."""
        return self._key("members")

    @property
    def database(self) -> str:
        """Hash: which database the installation is stored in: name, place, adoptions."""
        return self._key("database")

    @property
    def dead(self) -> str:
        """Stream of entries that SQL refused."""
        return self._key("dead")

    @property
    def control(self) -> str:
        """Sharded channel that every gateway follows: wakes, and what is committed."""
        return self._key("control")

    @property
    def everyone(self) -> str:
        """Sharded channel that every gateway follows: notices to all, presence and beats."""
        return self._key("everyone")

    @property
    def wakes(self) -> str:
        """Stream of the last wakes; entry ids are those of the events that woke."""
        return self._key("wakes")

    def chats(self, user: str) -> str:
        """Set: keys of the direct chats of a user that are held here."""
        return self._key(f"chats:{user}")

    def gone(self, key: str) -> str:
        """Sorted set: places of single deleted messages that a room's log may still hold."""
        return self._key(f"gone:{key}")

    def cursors(self, key: str) -> str:
        """Hash: a room's cursors that are known here, `<seq>` by user."""
        return self._key(f"cursors:{key}")

    def moves(self, key: str) -> str:
        """Stream: how cursors of a direct chat moved, for messages the log may still hold."""
        return self._key(f"moves:{key}")

    def all_of_room(self, key: str) -> list[str]:
        """What is kept of a room beside its record: log, gone, cursors, moves."""
        return [self.log(key), self.gone(key), self.cursors(key), self.moves(key)]

    def send_keys(self, key: str) -> tuple[str, str, str]:
        """What a send to a room touches: its record, its log, its channel."""
        prefix = self.prefix
        return f"{prefix}room:{key}", f"{prefix}log:{key}", f"{prefix}channel:{key}"

    def room(self, key: str) -> str:
        """Hash: a room's record."""
        return self._key(f"room:{key}")

    def log(self, key: str) -> str:
        """Stream: a room's log; entry ids are `<seq>-0`."""
        return self._key(f"log:{key}")

    def channel(self, key: str) -> str:
        """Sharded channel of a room."""
        return self._key(f"channel:{key}")

    @property
    def once(self) -> list[str]:
        """Hashes: heads of envelopes by name of their sends, of even periods and of odd ones."""
        return [self._key("once:0"), self._key("once:1")]

    def session(self, pid: str) -> str:
        """Hash: what is remembered of a client, so that it can come back."""
        return self._key(f"session:{pid}")

    def ticket(self, digest: str) -> str:
        """String: whom a ticket lets in; named by the ticket's hash."""
        return self._key(f"ticket:{digest}")


class Keyspace:
    """The keys of one installation.

    Attributes:
        namespace: its name.
        partitions: the keys of each partition, by its number.
    """

    def __init__(self, namespace: str, partitions: int) -> None:
        self.namespace = namespace
        self.partitions = tuple(
            PartitionKeys(number, f"{namespace}:{{{tag}}}:")
            for number, tag in enumerate(hash_tags(partitions))
        )

    def __len__(self) -> int:
        return len(self.partitions)

    def __getitem__(self, number: int) -> PartitionKeys:
        """The keys of a partition, by its number."""
        return self.partitions[number]

    def number_of(self, name: str) -> int:
        """The number of the partition that a room's key, or any other name, belongs to."""
        return partition_of_key(name, len(self.partitions))

    def of(self, name: str) -> PartitionKeys:
        """The keys of the partition that a room's key, or any other name, belongs to."""
        return self.partitions[self.number_of(name)]

    def bucket(self, kind: str, subject: tuple[str, ...]) -> str:
        """String: when a token bucket is full again, in microseconds since 1970.

        Buckets whose first name is the same share a hash tag: one call may take from several.
        """
        # The lengths keep two names from running together.
        names = ":".join(f"{len(name)}:{name}" for name in subject)
        return f"{self.of(subject[0]).prefix}limits:{kind}:{names}"
