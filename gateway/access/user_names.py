"""Names of users with AUTH_MODE=open: finds which user a typed name stands for.

A user has one name, which is compared as it is everywhere else. What somebody types is turned into
it once: when they connect, and where a command names a user. A user who is known in exactly this
spelling is meant; else the one who was known first of those whose names compare the same; else it
is a new user. With AUTH_MODE=jwt names come from tokens, and nothing is changed.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Final

from shared.broker.sessions.spellings import SpellingBroker
from shared.errors import ChatError
from shared.names import enforced, form_of, is_sole_spelling
from shared.storage.names import NameReader

CACHE_SECONDS: Final = 300.0
"""Seconds for which the user that a typed name stands for is cached."""

MAX_CACHED_NAMES: Final = 20_000
"""Typed names that are cached."""

MAX_FORMS_PER_QUERY: Final = 500
"""Forms that are looked up in one query."""

LOOKUP_SECONDS: Final = 1.0
"""Seconds that SQL, and then the broker, may take. Signing in does not wait for them longer."""

RETRY_SECONDS: Final = 1.0
"""Seconds for which nobody waits for SQL after it did not answer."""


_NAMELESS: Final = re.compile(r"user [a-z0-9_-]{1,64}\.[a-z0-9_-]{8,64}")
"""The form of the names that connections without a name are shown by: `User <sid>`."""


def is_nameless(name: str) -> bool:
    """Return True for `User <sid>`, in any spelling that compares the same."""
    return _NAMELESS.fullmatch(form_of(name)) is not None


def check_free(name: str) -> None:
    """Check that a client may take a name, with AUTH_MODE=open.

    Raises:
        ChatError: `bad_request`: it is a name by which a connection without one is shown.
    """
    if is_nameless(name):
        raise ChatError(
            "bad_request", "names such as `User <id>` are for connections without a name"
        )


class UserNames:
    """Turns typed names into users' names."""

    def __init__(self, reader: NameReader, spellings: SpellingBroker, *, proven: bool) -> None:
        """Begin with nothing cached.

        Args:
            reader: knows the users of whom anything is stored.
            spellings: remembers the users of whom nothing is stored yet.
            proven: True with AUTH_MODE=jwt.
        """
        self._reader = reader
        self._spellings = spellings
        self._proven = proven
        # The user that each typed name stands for, and the time until which that holds.
        self._cached: dict[str, tuple[str, float]] = {}
        # All forms that are asked for while a query runs go with the next one, so that a wave of
        # reconnects costs few queries.
        self._wanted: dict[str, asyncio.Future[list[str] | None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._retry_at = 0.0

    def known(self, typed: str) -> str | None:
        """Return the user that a typed name stands for, if that needs no look-up."""
        if self._proven or is_sole_spelling(typed):
            return typed
        found = self._cached.get(typed)
        return found[0] if found and found[1] > time.monotonic() else None

    async def find(self, typed: str) -> str:
        """Return the user that a typed name stands for; a new one if nobody is known.

        While SQL or the broker are away, the name is taken as it was typed, put right.

        Raises:
            ChatError: `bad_request`: no user can have this name, and none of before has it.
        """
        if (name := self.known(typed)) is not None:
            return name
        if is_nameless(typed):
            return typed  # nobody else's, so there is nothing to look up
        form = form_of(typed)
        stored = await self._stored(form)
        if stored and typed in stored:
            return self._cache(typed, typed)
        try:
            name = enforced(typed)
        except ValueError as error:
            raise ChatError("bad_request", str(error)) from None
        if stored:
            return self._cache(typed, name if name in stored else stored[0])
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                first = await self._spellings.claim(form, name)
        except (ChatError, TimeoutError):
            return name
        return self._cache(typed, first) if stored is not None else first

    async def close(self) -> None:
        """End the look-ups."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    def _cache(self, typed: str, name: str) -> str:
        while len(self._cached) >= MAX_CACHED_NAMES:
            del self._cached[next(iter(self._cached))]
        self._cached[typed] = (name, time.monotonic() + CACHE_SECONDS)
        return name

    async def _stored(self, form: str) -> list[str] | None:
        """Look up the users of a form, the first before others; None if SQL does not answer."""
        if time.monotonic() < self._retry_at:
            return None
        answer = self._wanted.get(form)
        if answer is None:
            answer = self._wanted[form] = asyncio.get_running_loop().create_future()
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(answer)

    async def _read(self) -> None:
        while self._wanted:
            forms = list(self._wanted)[:MAX_FORMS_PER_QUERY]
            answers = {form: self._wanted.pop(form) for form in forms}
            found: Mapping[str, list[str]] | None = None
            try:
                async with asyncio.timeout(LOOKUP_SECONDS):
                    found = await self._reader.users(forms)
            except (ChatError, TimeoutError):
                self._retry_at = time.monotonic() + RETRY_SECONDS
            finally:
                for form, answer in answers.items():
                    answer.set_result(None if found is None else found.get(form, []))
