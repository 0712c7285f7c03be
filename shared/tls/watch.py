"""Renewal of a certificate while it is in use, and warnings before it expires.

Tools such as certbot put new files, or new links, in the place of the old ones, one after the
other. What was read between the two does not fit together, or is cut off: it is loaded only once
the files have stayed as they are from one look to the next.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple

from shared.config import ConfigError

LOOK_SECONDS: Final = 1.0
"""Seconds between two looks at the files. After two of them a renewed certificate is in use."""

WARN_AGAIN: Final = timedelta(days=1)
"""Time between two warnings of the same certificate."""

SOON, VERY_SOON = timedelta(days=14), timedelta(days=3)

Level = Literal["info", "warning", "error"]

Fingerprint = tuple[tuple[int, ...] | None, ...]


class Notice(NamedTuple):
    """A sentence on a certificate that expires, and how much it presses.

    Attributes:
        stage: grows as the time comes nearer.
    """

    stage: int
    level: Level
    sentence: str


def expiry_warning(expires: datetime, now: datetime) -> Notice | None:
    """Return what to say of a certificate's expiry; None while it is more than 14 days away."""
    left, day = expires - now, f"{expires:%Y-%m-%d %H:%M} UTC"
    if left <= timedelta(0):
        return Notice(3, "error", f"the certificate expired on {day}: clients refuse it")
    if left > SOON:
        return None
    sentence = f"the certificate expires in {left.days} days, on {day}: renew it"
    return Notice(2, "error", sentence) if left <= VERY_SOON else Notice(1, "warning", sentence)


class CertificateWatch:
    """The files of a certificate, looked at while the certificate in them is in use.

    Attributes:
        expires: when the certificate in use expires, in UTC.
    """

    def __init__(
        self,
        files: tuple[str, ...],
        load: Callable[[], Awaitable[datetime]],
        say: Callable[[str, Level], None],
        expires: datetime,
        since: Fingerprint,
    ) -> None:
        """Watch the files from now on.

        Args:
            files: the paths of the certificate and of its key.
            load: takes the certificate in the files into use, and returns when it expires. It
                raises ConfigError if that cannot be used, and OSError if whoever has to use it
                cannot be reached, which is tried again.
            say: writes a line of the log.
            expires: when the certificate in use expires.
            since: the fingerprint of the files before that one was read from them.
        """
        self.expires = expires
        self._files, self._load, self._say = files, load, say
        self._done = self._seen = since
        self._unreachable = False
        self._warned: tuple[int, datetime] | None = None

    async def run(self) -> None:
        """Look at the files every second, for ever."""
        while True:
            self.warn(datetime.now(UTC))
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Load the certificate if its files are others than at the last load, and are whole."""
        found = await asyncio.to_thread(fingerprint, self._files)
        settled, self._seen = found == self._seen, found
        if found == self._done or not settled:
            return
        try:
            self.expires = await self._load()
        except ConfigError as error:
            self._say(f"{error}: the certificate from before is used on", "error")
        except OSError as error:
            if not self._unreachable:
                self._say(
                    f"the new certificate is not in use yet, and is tried again: {error}", "error"
                )
            self._unreachable = True
            return
        else:
            self._warned = None
            self._say(
                f"a new certificate is in use, until {self.expires:%Y-%m-%d %H:%M} UTC", "info"
            )
        self._done, self._unreachable = found, False

    def warn(self, now: datetime) -> None:
        """Warn of a certificate that expires, once a day, and when that begins to press."""
        warning = expiry_warning(self.expires, now)
        if warning is None:
            return
        if self._warned and self._warned[0] >= warning.stage and now < self._warned[1] + WARN_AGAIN:
            return
        self._warned = (warning.stage, now)
        self._say(warning.sentence, warning.level)


def fingerprint(files: tuple[str, ...]) -> Fingerprint:
    """Return what changes with any of the files, or with what a link points to."""
    return tuple(map(_stamp, files))


def _stamp(file: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(file)  # noqa: PTH116  a string, as settings have it
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
