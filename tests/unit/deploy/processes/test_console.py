"""Where the lines of the processes go."""

import io
import json
import os
from pathlib import Path
from typing import TextIO

import pytest

from deploy.processes.console import WAITING_LINES, Console


def console(
    folder: Path, stream: TextIO, *, json_lines: bool = False, coloured: bool = False
) -> Console:
    return Console(
        folder,
        ["cluster", "gateway-1"],
        log_format="json" if json_lines else "text",
        coloured=coloured,
        stream=stream,
    )


def test_each_line_says_whose_it_is(tmp_path: Path) -> None:
    """A line is shown behind the padded name of its process, and kept in that one's file."""
    stream = io.StringIO()
    shown = console(tmp_path, stream)
    shown.line("gateway-1", "hello")
    shown.say("something happened", "warning")
    shown.close()
    first, second = stream.getvalue().splitlines()
    assert first == "gateway-1 | hello"
    assert second.startswith("cluster   | ")
    assert second.endswith("Z [warning] something happened")
    assert (tmp_path / "gateway-1.log").read_text() == "hello\n"
    assert (tmp_path / "cluster.log").read_text().endswith("something happened\n")


def test_names_are_coloured_for_a_terminal(tmp_path: Path) -> None:
    """Colour is on the name only, and never in the file."""
    stream = io.StringIO()
    shown = console(tmp_path, stream, coloured=True)
    shown.line("gateway-1", "hello")
    shown.close()
    assert stream.getvalue() == "\033[32mgateway-1 |\033[0m hello\n"
    assert (tmp_path / "gateway-1.log").read_text() == "hello\n"


def test_json_lines_are_left_as_they_are(tmp_path: Path) -> None:
    """In JSON the lines of processes have no prefix, and those of the cluster are objects."""
    stream = io.StringIO()
    shown = console(tmp_path, stream, json_lines=True)
    shown.line("gateway-1", '{"event":"hello"}')
    shown.say('a "quoted" event')
    shown.close()
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first == {"event": "hello"}
    assert (second["event"], second["level"]) == ('a "quoted" event', "info")
    assert second["process"] == "cluster"


def test_logs_are_appended_to(tmp_path: Path) -> None:
    """A later run of the cluster keeps the lines of an earlier one."""
    for line in ("first", "second"):
        shown = console(tmp_path, io.StringIO())
        shown.line("gateway-1", line)
        shown.close()
    assert (tmp_path / "gateway-1.log").read_text() == "first\nsecond\n"


def test_a_terminal_that_does_not_read_holds_nothing_up(tmp_path: Path) -> None:
    """Lines for a terminal that was paused are left out; the files have them all."""
    read_end, write_end = os.pipe()  # 64 KiB fit in, then writing blocks
    with open(write_end, "w") as stuck:  # noqa: PTH123  a pipe has no path
        shown = console(tmp_path, stuck)
        for _ in range(2 * WAITING_LINES):  # to the end, though nobody reads
            shown.line("gateway-1", "x" * 50)
        shown.close()
        lines = (tmp_path / "gateway-1.log").read_text().splitlines()
        assert len(lines) == 2 * WAITING_LINES
        with open(read_end, "rb") as drained:  # noqa: PTH123
            while b"left out" not in drained.readline():
                pass


@pytest.mark.parametrize("closed_by", ["reader", "writer"])
def test_a_terminal_that_is_gone_stops_nothing(tmp_path: Path, closed_by: str) -> None:
    """Without anyone to read it the console goes on with the files."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    gone = open(write_end, "w", buffering=1)  # noqa: PTH123, SIM115
    if closed_by == "writer":
        gone.close()
    shown = console(tmp_path, gone)
    shown.line("gateway-1", "first")
    shown.line("gateway-1", "second")
    shown.close()
    assert (tmp_path / "gateway-1.log").read_text() == "first\nsecond\n"
