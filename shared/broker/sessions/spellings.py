"""Spellings of users' names that SQL does not know yet, in the broker: the first one stays."""

from typing import Final

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript

MAX_SPELLINGS: Final = 100_000
"""Names that an installation remembers. Those asked for longest ago are forgotten first."""


class SpellingBroker:
    """Decides which spelling of a user's name was first, for gateways that are asked at once."""

    def __init__(self, pipe: Pipe, keys: Keyspace, max_spellings: int = MAX_SPELLINGS) -> None:
        self._keys = keys
        self._max_spellings = -(-max_spellings // len(keys))  # of each partition, rounded up
        self._claim = PipedScript(pipe, "claim_spelling")

    async def claim(self, form: str, name: str) -> str:
        """Return the first spelling of a form; it is `name` if there was none.

        Raises:
            ChatError: `broker_unavailable`.
        """
        part = self._keys.of(form)
        with unavailable_as_error():
            found = await self._claim(
                [part.spellings, part.spelling_times], [form, name, self._max_spellings]
            )
        return str(found.decode())
