"""Hashing and checking of room passwords: argon2id, in a few threads beside the event loop.

Source: OWASP Password Storage Cheat Sheet (19 MiB, two passes, one lane).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.access.shares.fair_queue import FairQueue
from gateway.access.shares.slot import Asker, without_slot
from shared.errors import ChatError
from shared.metrics import Gauge
from shared.names.passwords import forms, opaque

MAX_WAITING_HASHES: Final = 256
"""Hashes that may wait for a thread. Beyond that, whoever has the most of them waiting gets
`overloaded`."""

MAX_WAITING_HASHES_PER_USER: Final = 16
"""Hashes of one user that may wait for a thread; beyond that the user gets `overloaded`."""

T = TypeVar("T")


class Passwords:
    """A pool of threads that hashes and checks passwords, in the order of a fair queue."""

    def __init__(self, threads: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._queue = queue = FairQueue(
            threads,
            max_waiting=MAX_WAITING_HASHES,
            max_waiting_per_user=MAX_WAITING_HASHES_PER_USER,
        )
        Gauge("passwords_waiting", "Passwords that wait for a thread.", lambda: queue.waiting)
        self._decoy: str | None = None

    async def hash(self, password: str, asker: Asker) -> str:
        """Hash a password for storage; the hash of an empty password is empty.

        Args:
            password: as the client gave it; it may be empty.
            asker: whose share of the threads is used.

        Raises:
            ChatError: `overloaded`; `bad_request` for characters that a password cannot have.
        """
        try:
            text = opaque(password)
        except ValueError as error:
            raise ChatError("bad_request", str(error)) from None
        return await self._run(asker, self._hasher.hash, text) if text else ""

    async def check(self, password_hash: str | None, password: str, asker: Asker) -> bool:
        """Return True if a password opens a room.

        Args:
            password_hash: the room's; None for a room that does not exist. Then a decoy is checked,
                so that the time of the answer does not tell which rooms exist.
            password: as the client gave it; it may be empty.
            asker: whose share of the threads is used.

        Raises:
            ChatError: `overloaded`.
        """
        if password_hash == "":
            return True
        if not password:
            return False
        if password_hash is None:
            if self._decoy is None:
                self._decoy = await self.hash("decoy", asker)
            await self._opens(self._decoy, password, asker)
            return False
        return await self._opens(password_hash, password, asker)

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _opens(self, password_hash: str, password: str, asker: Asker) -> bool:
        for form in forms(password):
            if await self._run(asker, self._verify, password_hash, form):
                return True
        return False

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, asker: Asker, work: Callable[..., T], *arguments: str) -> T:
        async with without_slot():  # of those who read
            slot = await self._queue.take(asker)
            loop = asyncio.get_running_loop()
            try:
                running = loop.run_in_executor(self._pool, work, *arguments)
            except RuntimeError:  # the threads have been stopped: those who wait are told, too
                slot.give_up()
                raise
            # Not when the client is gone: its thread works until it is done.
            running.add_done_callback(lambda _: slot.give_up())
            return await asyncio.shield(running)
