"""Names of keys and channels. All of a partition share a hash tag, so a script may use them all."""

from dataclasses import dataclass
from typing import Final

EVERYONE: Final = "{everyone}:channel"
"""The channel that every gateway follows: notices to all, and the gateways' beats."""

PERSISTERS: Final = "{persisters}:members"
"""The living persisters, by which partitions are shared out."""


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """The keys of one partition."""

    number: int

    def _key(self, rest: str) -> str:
        return f"{{{self.number}}}:{rest}"

    @property
    def record(self) -> str:
        """Hash: epoch, replid, counter, position, number, partitions, generation."""
        return self._key("partition")

    @property
    def stream(self) -> str:
        """Stream of events on their way to SQL; entry ids are `<counter>-0`."""
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
    def dead(self) -> str:
        """Stream of entries that SQL refused."""
        return self._key("dead")

    def room(self, key: str) -> str:
        """Hash: a room's record."""
        return self._key(f"room:{key}")

    def log(self, key: str) -> str:
        """Stream: a room's log; entry ids are `<seq>-0`."""
        return self._key(f"log:{key}")

    def channel(self, key: str) -> str:
        """Sharded channel of a room."""
        return self._key(f"channel:{key}")

    def once(self, key: str, sender: str, client_msg_id: str) -> str:
        """What remembers a send. Lengths keep two names from running together."""
        return self._key(f"once:{len(key)}:{key}:{len(sender)}:{sender}:{client_msg_id}")

    def key_of_room(self, record: str) -> str:
        """The room's key, from the name of its record."""
        return record.removeprefix(self._key("room:"))
