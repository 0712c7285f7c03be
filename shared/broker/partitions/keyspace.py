"""Names of keys and channels: each begins with the installation's namespace.

`<namespace>:{<tag>}:<rest>`. The namespace separates installations that share a server. A Redis
database number would not do, because channels have none. All keys and channels of a partition have
its hash tag (see `slots`), so one script may use them together. Every key belongs to a partition,
so no single slot of a Redis Cluster carries what all partitions need.
"""

from dataclasses import dataclass

from shared.broker.partitions.slots import hash_tags
from shared.model.ids import partition_of_key


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """The keys of one partition.

    Attributes:
        number: the partition's number, from 0.
        prefix: the beginning of all its keys and channels.
    """

    number: int
    prefix: str

    def _key(self, rest: str) -> str:
        return self.prefix + rest

    @property
    def record(self) -> str:
        """Hash, the partition's record: format, epoch, replid, counter, position, and more."""
        return self._key("partition")

    @property
    def stream(self) -> str:
        """Stream of events on their way to SQL; entry ids are `<counter of the last>-0`."""
        return self._key("stream")

    @property
    def held(self) -> str:
        """Sorted set: keys of the held rooms, by the time of their last activity."""
        return self._key("held")

    @property
    def unstored(self) -> str:
        """Sorted set: keys of rooms that were created and are not in SQL yet, by name."""
        return self._key("unstored")

    @property
    def lease(self) -> str:
        """String that expires: the incarnation of the persister that has the lease."""
        return self._key("lease")

    @property
    def members(self) -> str:
        """Hash: the running processes by incarnation, with the formats that each reads."""
        return self._key("members")

    @property
    def database(self) -> str:
        """Hash: the identity of the installation's database: name, place, adoptions."""
        return self._key("database")

    @property
    def dead(self) -> str:
        """Stream of dead letters: entries that SQL refused."""
        return self._key("dead")

    @property
    def control(self) -> str:
        """Sharded channel that every gateway subscribes to: wakes and committed positions."""
        return self._key("control")

    @property
    def everyone(self) -> str:
        """Sharded channel that every gateway subscribes to: notices, presence, heartbeats."""
        return self._key("everyone")

    @property
    def wakes(self) -> str:
        """Stream of the last wakes; an entry has the stream id of the event that caused it."""
        return self._key("wakes")

    def chats(self, user: str) -> str:
        """Set: keys of a user's direct chats that the broker holds."""
        return self._key(f"chats:{user}")

    def gone(self, key: str) -> str:
        """Sorted set: seqs of messages deleted one by one that the room's log may still hold."""
        return self._key(f"gone:{key}")

    def cursors(self, key: str) -> str:
        """Hash: the seq of each user's cursor, for cursors that moved since the room is held."""
        return self._key(f"cursors:{key}")

    def moves(self, key: str) -> str:
        """Stream: cursor moves of a direct chat that cover messages its log may still hold."""
        return self._key(f"moves:{key}")

    def all_of_room(self, key: str) -> list[str]:
        """The keys of a room beside its record: log, gone, cursors, moves, in this order."""
        return [self.log(key), self.gone(key), self.cursors(key), self.moves(key)]

    def send_keys(self, key: str) -> tuple[str, str, str]:
        """The keys that a send to a room touches: its record, its log, its channel."""
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
        """Two hashes of envelope heads by the key of their send, of even and of odd periods."""
        return [self._key("once:0"), self._key("once:1")]

    def session(self, pid: str) -> str:
        """Hash: the session of a Socket.IO client, for its recovery."""
        return self._key(f"session:{pid}")

    @property
    def connected(self) -> str:
        """Sorted set: users who have connected lately, by the time of their last connection."""
        return self._key("connected")

    @property
    def attendance(self) -> str:
        """Hash: the connections of each user in a place, in all gateways; see `attend.lua`."""
        return self._key("attendance")

    def attendance_of(self, incarnation: str) -> str:
        """Hash: the same of one gateway."""
        return self._key(f"attendance:{incarnation}")

    @property
    def attending(self) -> str:
        """Set: the incarnations of gateways that have attendees in this partition."""
        return self._key("attending")

    @property
    def spellings(self) -> str:
        """Hash: the first spelling of users' names that were asked for lately, by their forms."""
        return self._key("spellings")

    @property
    def spelling_times(self) -> str:
        """Sorted set: the forms in `spellings`, by the time at which they were last asked for."""
        return self._key("spelling_times")

    def guests(self, subject: str) -> str:
        """Hash: the gateway that holds its place, by guest, of an address; `hold_guests.lua`."""
        return self._key(f"guests:{subject}")

    def guest_address(self, guest: str) -> str:
        """String: what stands for the address that a guest came from."""
        return self._key(f"guest:{guest}")

    def guest_bans(self, room_id: int, subject: str) -> str:
        """Sorted set: the guests for whom an address is banned from a room, by each ban's end."""
        return self._key(f"guest_bans:{room_id}:{subject}")

    @property
    def disconnections(self) -> str:
        """Stream: users whose connections an operator has ended; in the first partition only."""
        return self._key("disconnections")

    def ticket(self, digest: str) -> str:
        """String: the user whom a ticket lets in; `digest` is the ticket's hash."""
        return self._key(f"ticket:{digest}")

    def ticket_token(self, digest: str) -> str:
        """String: the id of the token that a ticket was given for, and when it was issued."""
        return self._key(f"ticket_token:{digest}")


class Keyspace:
    """The keys of one installation.

    Attributes:
        namespace: the installation's name.
        partitions: the keys of each partition, in the order of their numbers.
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
        """The number of the partition of a room's key, or of any other name."""
        return partition_of_key(name, len(self.partitions))

    def of(self, name: str) -> PartitionKeys:
        """The keys of the partition of a room's key, or of any other name."""
        return self.partitions[self.number_of(name)]

    def bucket(self, kind: str, subject: tuple[str, ...]) -> str:
        """String: the time at which a token bucket is full, in microseconds since 1970.

        Buckets of subjects with the same first name share a hash tag, so one script call may take
        from several of them.
        """
        # The lengths keep two names from running together.
        names = ":".join(f"{len(name)}:{name}" for name in subject)
        return f"{self.of(subject[0]).prefix}limits:{kind}:{names}"
