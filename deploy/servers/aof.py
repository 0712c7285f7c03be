"""Repair of the embedded Redis's append-only file, with the server's own checker.

After a power failure a disk may have anything after the last fsync. Redis itself removes half a
command at the end, but it refuses to start with garbage there. The checker finds the end of the
last whole command. What comes after it was never answered to a client; it is cut off and kept.
"""

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

FOLDER: Final = "appendonlydir"
CUT: Final = "appendonlydir-cut"

# The server's program works as the checker if it is called by the checker's name.
CHECKERS: Final = {"valkey-server": "valkey-check-aof", "redis-server": "redis-check-aof"}


def repair_aof(server: str, data_dir: Path) -> str | None:
    """Cut off the end of the file that the server cannot read, and keep it in another file.

    Only the end is copied: a copy of the whole would need as much space again, and the disk may be
    full.

    Args:
        server: the path of the server's program.
        data_dir: the folder in which the server runs.

    Returns:
        A sentence about the repair; None if nothing was broken, or there is no file.

    Raises:
        OSError: the end could not be copied, so nothing was cut off.
    """
    file = newest(data_dir / FOLDER)
    whole = _whole_bytes(server, file) if file is not None else None
    if file is None or whole is None:
        return None
    cut = file.stat().st_size - whole
    copy = data_dir / f"{CUT}-{time.strftime('%Y%m%dT%H%M%S')}-{time.monotonic_ns()}"
    try:
        with file.open("r+b") as broken, copy.open("xb") as kept:
            broken.seek(whole)
            shutil.copyfileobj(broken, kept)
            kept.flush()
            broken.truncate(whole)
    except OSError:
        copy.unlink(missing_ok=True)
        raise
    return f"{file.name} was broken: {cut} bytes at its end were removed; a copy is in {copy}"


def newest(folder: Path) -> Path | None:
    """The file to which the server appended last, by its manifest; None if there is none."""
    for manifest in folder.glob("*.manifest"):
        words = [line.split() for line in manifest.read_text().splitlines()]
        names = [line[1] for line in words if line[:1] == ["file"] and line[-1] == "i"]
        if names and (folder / names[-1]).exists():
            return folder / names[-1]
    return None


def _whole_bytes(server: str, file: Path) -> int | None:
    """Length of the whole commands at the beginning of a broken file; None if it is not broken."""
    with tempfile.TemporaryDirectory() as folder:
        checker = Path(folder) / CHECKERS.get(Path(server).name, "redis-check-aof")
        checker.symlink_to(server)
        checked = subprocess.run(  # noqa: S603  the server that runs here, on a file of ours
            [checker, file], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    found = re.search(rb"\bok_up_to=(\d+)", checked.stdout)
    return int(found[1]) if found and checked.returncode else None
