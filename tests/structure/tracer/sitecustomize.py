"""Records the functions that a gateway calls between SIGUSR1 and SIGUSR2.

Python imports this module by its name at the start of every process that finds it on PYTHONPATH;
it does nothing unless the process is a gateway and `STRUCTURE_TRACE` names a folder. There
`PID.begun` says that a trace has begun, and `PID.json` holds it once it has ended.
"""

import json
import os
import signal
import sys
from pathlib import Path
from types import CodeType, FrameType

Note = tuple[str, str, int, str]
"""A call: file, qualified name, and of those looked at also `id(self)` and the bytes given."""

LOOKED_AT = {
    "AsyncScript.__call__",  # redis-py's: a script that goes through its client
    "HandshakeProtocol.data_received",
    "Link.__init__",
    "Link.data_received",
    "Link.write",
    "RespConnection.data_received",
    "RespConnection.write",
}
"""Functions whose arguments tell where a path begins and ends, and which scripts it calls."""


class Tracer:
    """Records calls of functions in the packages of a checkout, in the main thread."""

    def __init__(self, folder: Path, root: Path, packages: list[str]) -> None:
        """Prepare.

        Args:
            folder: where traces go.
            root: of the checkout.
            packages: its folders whose code counts.
        """
        self._marks = folder / str(os.getpid())
        self._folders = tuple(f"{root / name}{os.sep}" for name in packages)
        self._known: dict[CodeType, bool] = {}
        self._notes: list[Note] = []

    def begin(self, _number: int, _frame: FrameType | None) -> None:
        """Begin recording."""
        self._notes = []
        self._marks.with_suffix(".json").unlink(missing_ok=True)
        self._marks.with_suffix(".begun").touch()
        sys.setprofile(self._called)

    def end(self, _number: int, _frame: FrameType | None) -> None:
        """Stop recording, and write the trace."""
        sys.setprofile(None)
        unfinished = self._marks.with_suffix(".part")
        unfinished.write_text(json.dumps({"scripts": _scripts(), "notes": self._notes}))
        unfinished.rename(self._marks.with_suffix(".json"))
        self._marks.with_suffix(".begun").unlink()

    def _called(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        counts = self._known.get(code)
        if counts is None:
            ours = code.co_filename.startswith(self._folders)
            counts = self._known[code] = ours or code.co_qualname in LOOKED_AT
        if counts:
            looked_at = code.co_qualname in LOOKED_AT
            more = _look(frame) if looked_at else (0, "")
            self._notes.append((code.co_filename, code.co_qualname, *more))


def _look(frame: FrameType) -> tuple[int, str]:
    """`id(self)`, and the bytes or script that a call was given."""
    given = frame.f_locals
    this = given.get("self")
    said = given.get("data") or b"".join(given.get("frames") or ())
    return id(this), getattr(this, "sha", "") or said.decode("latin-1")


def _scripts() -> dict[str, str]:
    """The files of the broker's scripts, by digest."""
    home = sys.modules["shared.broker.scripts"]
    files = Path(str(home.__file__)).parent.glob("*.lua")
    return {home.digest(file.stem): str(file) for file in files}


if "gateway" in sys.orig_argv and "STRUCTURE_TRACE" in os.environ:
    tracer = Tracer(
        Path(os.environ["STRUCTURE_TRACE"]),
        Path.cwd(),
        os.environ["STRUCTURE_PACKAGES"].split(","),
    )
    signal.signal(signal.SIGUSR1, tracer.begin)
    signal.signal(signal.SIGUSR2, tracer.end)
