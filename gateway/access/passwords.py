"""Hashing and checking of room passwords: argon2id, in a few threads beside the event loop.

Source: OWASP Password Storage Cheat Sheet (19 MiB, two passes, one lane).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import ChatError
from shared.metrics import Gauge
from shared.names.passwords import forms, opaque

MAX_QUEUED_HASHES: Final = 64
"""Hashes that may wait for a thread; beyond that a client gets `overloaded`."""

T = TypeVar("T")


class Passwords:
    """A pool of threads that hashes and checks passwords."""

    def __init__(self, threads: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._waiting = 0
        Gauge("passwords_waiting", "Passwords being checked or hashed.", lambda: self._waiting)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Hash a password for storage; the hash of an empty password is empty.

        Raises:
            ChatError: `overloaded`; `bad_request` for characters that a password cannot have.
        """
        try:
            text = opaque(password)
        except ValueError as error:
            raise ChatError("bad_request", str(error)) from None
        return await self._run(self._hasher.hash, text) if text else ""

    async def check(self, password_hash: str | None, password: str) -> bool:
        """Return True if a password opens a room.

        Args:
            password_hash: the room's; None for a room that does not exist. Then a decoy is checked,
                so that the time of the answer does not tell which rooms exist.
            password: as the client gave it; it may be empty.

        Raises:
            ChatError: `overloaded`.
        """
        if password_hash == "":
            return True
        if not password:
            return False
        if password_hash is None:
            if self._decoy is None:
                self._decoy = await self.hash("decoy")
            await self._opens(self._decoy, password)
            return False
        return await self._opens(password_hash, password)

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _opens(self, password_hash: str, password: str) -> bool:
        for form in forms(password):
            if await self._run(self._verify, password_hash, form):
                return True
        return False

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= MAX_QUEUED_HASHES:
            raise ChatError("overloaded", "too many passwords are being checked: try again")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, work, *arguments)
        finally:
            self._waiting -= 1
