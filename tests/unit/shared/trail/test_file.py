"""The file of security events: several processes, rotation, and disks that are full."""

import fcntl
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.config import ConfigError
from shared.trail.file import OLDER_FILES, TrailFile, check_trail_file

ROOT = Path(__file__).parents[4]

FULL = 2_000
"""Bytes at which the files of these tests are full."""

WRITER = f"""
import json, sys
from shared.trail.file import TrailFile
for number, path in enumerate(sys.stdin):
    file = TrailFile(path.strip(), {FULL})
    for count in range(80):
        file.append(json.dumps([sys.argv[1], number, count, "x" * 80]).encode())
    file.close()
    print("done", flush=True)
"""
"""A process that writes 80 lines into each file that it is told."""

SHORT_OF_SPACE = """
import resource, sys
from shared.trail.file import TrailFile
file = TrailFile(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
for number in range(200):
    file.append(b'{"number":%d,"text":"%b"}' % (number, b"x" * 72))
if sys.argv[2] == "again":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    file.append(b'{"number":200}')
"""
"""A process whose files can have no more than 1,000 bytes, for a while."""


def start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start Python with this code, its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def files(path: Path) -> list[Path]:
    """The older files, the oldest first, and the present one."""
    older = [Path(f"{path}.{number}") for number in range(OLDER_FILES + 5, 0, -1)]
    return [each for each in (*older, path) if each.exists()]


def lines(path: Path) -> list[str]:
    """The lines of all the files, in order."""
    return [line for each in files(path) for line in each.read_text().splitlines()]


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    """Of two processes that write and rename at once each line is whole and none is lost."""
    writers = [start(WRITER, name) for name in ("one", "two")]
    try:
        for number in range(40):
            path = tmp_path / f"{number}.log"
            for writer in writers:
                assert writer.stdin
                writer.stdin.write(f"{path}\n")
                writer.stdin.flush()
            for writer in writers:
                assert writer.stdout
                assert writer.stdout.readline() == "done\n"
            found = Counter(tuple(json.loads(line)[:3]) for line in lines(path))
            both = ((name, number, count) for name in ("one", "two") for count in range(80))
            assert found == Counter(both)
            # None was renamed before it was full, which would push an older one out.
            assert [each for each in files(path)[:-1] if each.stat().st_size < FULL] == []
    finally:
        errors = [writer.communicate()[1] for writer in writers]
    assert errors == ["", ""]


def test_so_many_older_files_are_kept(tmp_path: Path) -> None:
    """A full file is renamed, and of the older ones only the ten newest are kept, in order."""
    path = tmp_path / "security.log"
    file = TrailFile(str(path), FULL)
    for number in range(505):
        file.append(b'{"number":%d,"text":"%b"}' % (number, b"x" * 80))
    file.close()
    assert len(files(path)) == 11
    assert len(list(tmp_path.iterdir())) == 11
    kept = [json.loads(line)["number"] for line in lines(path)]
    assert kept == list(range(505 - len(kept), 505))
    assert len(kept) > 10 * FULL // 105


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    """The file is private also where the process would let others read what it makes."""
    path, before = tmp_path / "security.log", os.umask(0)
    try:
        TrailFile(str(path), FULL).append(b"{}")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_renamed_file_is_left(tmp_path: Path) -> None:
    """Who holds a renamed file open writes the next line into the new one, whoever renamed it."""
    path = tmp_path / "security.log"
    one, two = TrailFile(str(path), FULL), TrailFile(str(path), FULL)
    for file in (one, two):
        file.append(b'"first"')
    one.append(b'"%b"' % (b"x" * FULL))
    two.append(b'"second"')
    assert path.read_text() == '"second"\n'
    path.rename(tmp_path / "by an operator")
    for file in (one, two):
        file.append(b'"third"')
        file.close()
    assert path.read_text() == '"third"\n' * 2


def test_nobody_waits_for_who_renames(tmp_path: Path) -> None:
    """While another process has the lock of a full file, lines go on into it."""
    path = tmp_path / "security.log"
    file = TrailFile(str(path), FULL)
    file.append(b'"%b"' % (b"x" * (FULL - 100)))
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for _ in range(20):
            file.append(b'"a line of twenty"')
    assert files(path) == [path]
    file.append(b'"the last one"')
    file.close()
    assert len(lines(path)) == 22
    assert files(path) == [Path(f"{path}.1")]


@pytest.mark.parametrize("writes_again", ["again", "never"])
def test_a_full_disk(tmp_path: Path, writes_again: str) -> None:
    """A full disk costs the lines that it has no room for, and is said once in the log.

    The line that it takes a part of harms none that comes later, by whichever process.
    """
    path = tmp_path / "security.log"
    process = start(SHORT_OF_SPACE, str(path), writes_again)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    later = TrailFile(str(path))
    later.append(b'{"number":201}')
    later.close()
    *whole, part = lines(path)[:11]
    assert [json.loads(line)["number"] for line in whole] == list(range(10))
    assert part
    with pytest.raises(json.JSONDecodeError):
        json.loads(part)
    after = [json.loads(line)["number"] for line in lines(path)[11:]]
    assert after == ([200, 201] if writes_again == "again" else [201])
    told = [line for line in (said + errors).splitlines() if "cannot be written" in line]
    assert [("whole line" in line, "File too large" in line) for line in told] == [
        (True, False),
        (False, True),
    ]
    assert ("written again" in said + errors) == (writes_again == "again")


def test_a_place_that_is_gone(tmp_path: Path) -> None:
    """Lines are left out while the folder is gone, which is said once, and come again after it."""
    folder = tmp_path / "log"
    folder.mkdir()
    file = TrailFile(str(folder / "security.log"))
    with capture_logs() as said:
        file.append(b'"first"')
        (folder / "security.log").unlink()
        folder.rmdir()
        for _ in range(100):
            file.append(b'"lost"')
        folder.mkdir()
        file.append(b'"second"')
    file.close()
    assert (folder / "security.log").read_text() == '"second"\n'
    assert [line["event"] for line in said] == [
        "security events cannot be written",
        "security events are written again",
    ]


def test_no_new_file_can_be_begun(tmp_path: Path) -> None:
    """Where a full file cannot be renamed, lines go on into it, and that is said once."""
    path = tmp_path / "security.log"
    Path(f"{path}.9").touch()
    Path(f"{path}.10").mkdir()
    file = TrailFile(str(path), FULL)
    with capture_logs() as said:
        for _ in range(100):
            file.append(b'"%b"' % (b"x" * 80))
    assert len(path.read_text().splitlines()) == 100
    assert [line["event"] for line in said] == [
        "the file of security events is full, and there is no new one"
    ]
    Path(f"{path}.10").rmdir()
    with capture_logs() as said:
        file.append(b'"the last one"')
    file.close()
    assert [line["event"] for line in said] == ["a new file of security events has been begun"]
    assert len(Path(f"{path}.1").read_text().splitlines()) == 101


def test_what_cannot_be_a_file(tmp_path: Path) -> None:
    """A folder, a link, a missing folder and a pipe without a reader are refused at once."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (
        (".", "Is a directory"),
        ("link", "symbolic links"),
        ("nowhere/security.log", "No such file"),
        ("pipe", "is not a regular file"),
    ):
        with pytest.raises(ConfigError, match=reason):
            check_trail_file(str(tmp_path / name))
    check_trail_file("")
    check_trail_file(str(tmp_path / "security.log"))
