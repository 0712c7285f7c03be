"""Writes security events: into a file of their own, and as log lines."""

import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.config import Settings
from shared.telemetry import SECURITY, escaped, logger
from shared.trail.bounds import Bounds, Source
from shared.trail.events import VERSION, SecurityEvent
from shared.trail.file import TrailFile

MAX_VALUE_CHARACTERS: Final = 200
"""Characters of a value; the rest is left out."""

FIRST_SECONDS: Final = 900.0
"""Seconds for which `note_first` knows an event."""

MAX_FIRST: Final = 10_000
"""Events that `note_first` knows at a time."""

_PLAIN: Final = re.compile(r"[\w.:/\[\]@+-]+")
"""Values that stand in a line of text without quotes."""

Value = str | int | bool | Mapping[str, int]
"""The value of a field."""

log = logger(SECURITY)


class Trail:
    """The security events of a process."""

    def __init__(
        self,
        settings: Settings,
        process: str,
        *,
        says: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            settings: `SECURITY_LOG` is the file, `LOG_FORMAT` the format of log lines.
            process: the name of the process, a field of each line.
            says: False for a command whose events are to be in the file alone, where there is one:
                its output is for a person.
            now: a monotonic clock, in seconds.
        """
        self._process = process
        self._as_text = settings.log_format == "text"
        self._says = says or not settings.security_log
        self._now = now
        self._bounds = Bounds(now)
        # A persister's operator's port serves requests in threads.
        self._lock = threading.Lock()
        self._first: OrderedDict[SecurityEvent, float] = OrderedDict()
        self._file = TrailFile(settings.security_log) if settings.security_log else None

    def note(self, event: SecurityEvent, source: Source = Source()) -> None:  # noqa: B008 - a constant
        """Write an event, unless its source or its kind has too many.

        Args:
            event: one of `shared/trail/events.py`.
            source: whom it counts for.
        """
        with self._lock:
            if self._bounds.admit(event, source):
                self._write(event)

    def note_first(self, event: SecurityEvent, source: Source) -> None:
        """Do the same as `note` for an event that was not noted in the last 15 minutes."""
        now = self._now()
        if self._first.get(event, 0.0) > now:
            return
        self._first[event] = now + FIRST_SECONDS
        self._first.move_to_end(event)
        if len(self._first) > MAX_FIRST:
            self._first.popitem(last=False)
        self.note(event, source)

    def end_period(self) -> None:
        """Write what was counted and not written."""
        with self._lock:
            for summary in self._bounds.end_period():
                self._write(summary)

    def close(self) -> None:
        """Write what was counted, and close the file."""
        self.end_period()
        if self._file is not None:
            self._file.close()

    def _write(self, event: SecurityEvent) -> None:
        kind, fields = event.kind(), _fields(event)
        if self._file is not None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            head = {"v": VERSION, "at": now, "process": self._process, "event": kind}
            self._file.append(msgspec.json.encode({**head, **fields}))
        if not self._says:
            return
        if self._as_text:
            shown = " ".join(f"{name}={_as_text(value)}" for name, value in fields.items())
            log.info(f"{SECURITY}: {kind} {shown}")  # noqa: G004 - not a template: see `_as_text`
        else:
            log.info(kind, logger=SECURITY, v=VERSION, **fields)


def _fields(event: SecurityEvent) -> dict[str, Value]:
    """Return the fields of an event that are given, each bounded and without control characters."""
    found: dict[str, Value] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, str):
            # Cut first, as an escape is up to ten characters long, and never cut in the middle.
            is_long = len(value) > MAX_VALUE_CHARACTERS
            found[name] = escaped(value[:MAX_VALUE_CHARACTERS]) + ("…" if is_long else "")
        elif value is not None:
            found[name] = value
    return found


def _as_text(value: Value) -> str:
    """Return a value as it stands in a line of text: in quotes if it could be taken for more."""
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return msgspec.json.encode(value).decode()
