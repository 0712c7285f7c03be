"""Repair of the embedded Redis's append-only file, with the server's own checker.

After a power failure a disk may have anything after the last fsync. Redis itself removes half a
command at the end, but it refuses to start with garbage there. The checker removes only writes
after the last fsync, which no client has an answer to, and a copy is kept.
"""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

FOLDER: Final = "appendonlydir"
BEFORE: Final = "appendonlydir-before-repair"

# The server's program works as the checker if it is called by the checker's name.
CHECKERS: Final = {"valkey-server": "valkey-check-aof", "redis-server": "redis-check-aof"}


def repair_aof(server: str, data_dir: Path) -> str | None:
    """Remove the end of the file that the server cannot read, after copying all files.

    Args:
        server: the path of the server's program.
        data_dir: the folder in which the server runs.

    Returns:
        A sentence about the repair; None if nothing was broken, or there is no file.
    """
    file = newest(data_dir / FOLDER)
    if file is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        checker = Path(folder) / CHECKERS.get(Path(server).name, "redis-check-aof")
        checker.symlink_to(server)
        if _run(checker, file) == 0:
            return None
        copy = data_dir / f"{BEFORE}-{time.strftime('%Y%m%dT%H%M%S')}-{time.monotonic_ns()}"
        shutil.copytree(file.parent, copy)
        size = file.stat().st_size
        fixed = _run(checker, "--fix", file)
        if fixed != 0:
            return f"{file.name} is broken and could not be repaired; a copy is in {copy}"
        cut = size - file.stat().st_size
        return f"{file.name} was broken: {cut} bytes at its end were removed; a copy is in {copy}"


def newest(folder: Path) -> Path | None:
    """The file to which the server appended last, by its manifest; None if there is none."""
    for manifest in folder.glob("*.manifest"):
        words = [line.split() for line in manifest.read_text().splitlines()]
        names = [line[1] for line in words if line[:1] == ["file"] and line[-1] == "i"]
        if names and (folder / names[-1]).exists():
            return folder / names[-1]
    return None


def _run(checker: Path, *words: str | Path) -> int:
    return subprocess.run(  # noqa: S603  the server that runs here, on a file of ours
        [checker, *words], input=b"y\n", capture_output=True, check=False
    ).returncode
