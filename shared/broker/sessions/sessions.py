"""Sessions of Socket.IO clients in the broker, so that any gateway can recover a client."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.model.sessions import SessionState

MAX_SESSIONS_PER_CALL: Final = 250
"""Sessions in one script call, which keeps other callers of the broker waiting."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(SessionState)


class SessionUpdate(NamedTuple):
    """A session to save or delete.

    Attributes:
        pid: the session's private id.
        owner: the incarnation that owns the session. The update fails if another incarnation took
            it over.
        session: the state to save; None to delete the session.
        keep: seconds after which it expires, unless it is saved again.
    """

    pid: str
    owner: str
    session: SessionState | None
    keep: float


class TakenSession(NamedTuple):
    """A session that was taken over.

    Attributes:
        session: the state that its former owner saved last.
        at: the time of that save, milliseconds since 1970 by the broker's clock.
        age: milliseconds since that save.
    """

    session: SessionState
    at: int
    age: int


class Claimant(NamedTuple):
    """The sessions that a client may take over, if it shows their pid, by their users.

    Attributes:
        rule: `any` for those of everybody, `none` for those without a user, `is` for those of one
            user, `begins` for those of users whose names begin so.
        name: the user, or the beginning of names.
    """

    rule: Literal["any", "none", "is", "begins"]
    name: str = ""


class SessionBroker:
    """Saves and takes over sessions."""

    def __init__(self, pipe: Pipe, keys: Keyspace, fence: Fence) -> None:
        self._keys = keys
        self._fence = fence
        self._save = PipedScript(pipe, "save_sessions")
        self._take = PipedScript(pipe, "take_session")

    async def save(self, savings: Sequence[SessionUpdate]) -> list[bool]:
        """Save or delete sessions, many in a call.

        Returns:
            For each update True, or False if another owner has taken the session over.

        Raises:
            ChatError: `broker_unavailable`; some of the updates may have been applied.
        """
        by_partition: defaultdict[int, list[int]] = defaultdict(list)
        for index, saving in enumerate(savings):
            by_partition[self._keys.number_of(saving.pid)].append(index)
        calls = [
            (number, indexes[start : start + MAX_SESSIONS_PER_CALL])
            for number, indexes in by_partition.items()
            for start in range(0, len(indexes), MAX_SESSIONS_PER_CALL)
        ]
        answers = await asyncio.gather(
            *(
                self._call(number, [savings[index] for index in indexes])
                for number, indexes in calls
            )
        )
        # By index, not by pid: two owners may save the same session in one call.
        kept = [False] * len(savings)
        for (_, indexes), answered in zip(calls, answers, strict=True):
            for index, answer in zip(indexes, answered, strict=True):
                kept[index] = bool(answer)
        return kept

    async def take(
        self, pid: str, owner: str, claimant: Claimant, keep: float
    ) -> TakenSession | None:
        """Take over a session; None if there is none, or none that this build reads.

        A session that the claimant may not take stays as it is, and looks like none.

        Args:
            pid: the session's private id.
            owner: the new owner.
            claimant: whose session it may be.
            keep: seconds after which it expires, unless it is saved again.

        Raises:
            ChatError: `broker_unavailable`.
        """
        key = self._keys.of(pid).session(pid)
        with unavailable_as_error():
            answer = await self._take([key], [owner, int(keep * 1000), *claimant])
        if answer is None:
            return None
        data, at, now, _ = answer
        try:
            return TakenSession(_decoder.decode(data), at, now - at)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None  # written by another build

    async def _call(self, number: int, savings: Sequence[SessionUpdate]) -> list[int]:
        part = self._keys[number]
        args: list[str | bytes | int] = [self._fence.format(number)]
        for saving in savings:
            data = _encoder.encode(saving.session) if saving.session else b""
            args += [saving.owner, int(saving.keep * 1000), data]
        with unavailable_as_error():
            answer: list[int] = await self._save([part.session(s.pid) for s in savings], args)
        return answer
