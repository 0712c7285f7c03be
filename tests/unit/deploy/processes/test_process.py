"""One supervised process."""

import asyncio
import contextlib
import io
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.data_dir import DataDir
from deploy.processes.console import Console
from deploy.processes.process import (
    ProcessFailedError,
    ProcessSpec,
    SupervisedProcess,
    describe_exit,
)
from tests.support.waiting import HANGS_AFTER, eventually, until_gone


class Workshop:
    """Starts supervised Python programs in a data folder."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = DataDir(folder)
        self.data_dir.claim("x")
        self.console = Console(
            self.data_dir.log,
            ["cluster", "worker"],
            log_format="text",
            coloured=False,
            stream=io.StringIO(),
        )

    def program(self, text: str, *, refuses_settings: bool = True) -> SupervisedProcess:
        """Return a Python program under supervision, not started yet."""
        spec = ProcessSpec(
            name="worker",
            command=(sys.executable, "-u", "-c", text),
            env={},
            cwd=self.data_dir.path,
            refuses_settings=refuses_settings,
        )
        return SupervisedProcess(spec, self.console, self.data_dir, well_after=30)

    def lines(self, name: str = "worker") -> list[str]:
        """Return what the log file of `name` has."""
        return (self.data_dir.log / f"{name}.log").read_text().splitlines()

    @contextlib.asynccontextmanager
    async def supervised(self, text: str) -> AsyncIterator[SupervisedProcess]:
        """Supervise a Python program for as long as the block lasts."""
        process = self.program(text)
        task = asyncio.create_task(process.supervise())
        yield process
        process.kill()
        await task

    async def until_lines(self, count: int, name: str = "worker") -> list[str]:
        """Wait for this many lines of `name` and return them."""
        async with asyncio.timeout(HANGS_AFTER):
            while len(self.lines(name)) < count:  # noqa: ASYNC110  a file tells nobody
                await asyncio.sleep(0.01)
        return self.lines(name)

    async def until_pid(self, pid: str) -> None:
        """Wait until the pid file has this pid; its process may say something before."""

        async def inspect() -> bool:
            return self._pid() == pid

        await eventually(inspect)

    def _pid(self) -> str:
        file = self.data_dir.run / "worker.pid"
        return file.read_text().strip() if file.exists() else ""


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.console.close()


SAY_PID_AND_WAIT = "import os, signal; print(os.getpid()); signal.pause()"


async def test_a_process_that_dies_is_started_again(workshop: Workshop) -> None:
    """A killed process runs again at once, and its pid file names the new one."""
    async with workshop.supervised(SAY_PID_AND_WAIT):
        (first,) = await workshop.until_lines(1)
        await workshop.until_pid(first)
        os.kill(int(first), signal.SIGKILL)
        _, second = await workshop.until_lines(2)
        assert second != first
        await workshop.until_pid(second)
    assert not (workshop.data_dir.run / "worker.pid").exists()


async def test_a_process_that_keeps_dying_is_given_up(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last word on a hopeless process is its name, how it died, its last lines and its log."""
    monkeypatch.setattr("deploy.processes.restarts.PAUSES_SECONDS", (0.0,))
    worker = workshop.program("print('no wool'); raise SystemExit(7)")
    with pytest.raises(ProcessFailedError) as failed:
        await worker.supervise()
    assert failed.value.exit_code == 1
    told = str(failed.value)
    assert told.startswith("worker ended 6 times in a row, the last time: exit code 7;")
    assert told.count("no wool") == 5
    assert str(workshop.data_dir.log / "worker.log") in told


async def test_a_refused_setting_is_not_tried_again(workshop: Workshop) -> None:
    """Exit code 2 is about a setting: the process is not started again, the cluster's code is 2."""
    worker = workshop.program("print('SHEEP=no is not valid'); raise SystemExit(2)")
    with pytest.raises(ProcessFailedError) as failed:
        await worker.supervise()
    assert failed.value.exit_code == 2
    assert workshop.lines() == ["SHEEP=no is not valid"]


async def test_exit_code_2_of_others_is_a_death(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In programs of others exit code 2 may be a crash, which is worth another try."""
    monkeypatch.setattr("deploy.processes.restarts.PAUSES_SECONDS", (0.0,))
    with pytest.raises(ProcessFailedError) as failed:
        await workshop.program("raise SystemExit(2)", refuses_settings=False).supervise()
    assert failed.value.exit_code == 1


async def test_a_full_disk_is_no_death(workshop: Workshop) -> None:
    """A process whose pid cannot be written down runs all the same, and a line tells of it."""
    (workshop.data_dir.run / "worker.pid.new").mkdir()
    async with workshop.supervised(SAY_PID_AND_WAIT):
        await workshop.until_lines(1)
        told = await workshop.until_lines(2, "cluster")
        assert "the pid file of worker cannot be written" in told[0]


async def test_an_obstacle_is_waited_out(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that cannot run now is started as soon as it can, whatever its failures were."""
    monkeypatch.setattr("deploy.processes.process.OBSTACLE_INTERVAL_SECONDS", 0.01)
    obstacles = [None, "it rains", "it rains", "it snows", None]
    spec = ProcessSpec(
        name="worker",
        command=(sys.executable, "-u", "-c", "raise SystemExit(7)"),
        env={},
        cwd=workshop.data_dir.path,
        obstacle=lambda: obstacles.pop(0) if obstacles else "it is night",
    )
    shown: list[tuple[str | None, int]] = []
    worker = SupervisedProcess(
        spec,
        workshop.console,
        workshop.data_dir,
        well_after=30,
        on_change=lambda: shown.append((worker.state.waits_for, worker.state.failures)),
    )
    task = asyncio.create_task(worker.supervise())
    told = await workshop.until_lines(4, "cluster")
    worker.kill()
    await task
    assert [line.rpartition("] ")[2].partition(" (pid")[0] for line in told] == [
        "worker started",
        "worker ended (exit code 7): it starts as soon as it rains",
        "worker started",
        "worker ended (exit code 7): it starts as soon as it is night",
    ]
    assert [waits for waits, _ in shown if waits][:3] == ["it rains", "it rains", "it snows"]
    assert {failures for _, failures in shown} == {0, 1}


async def test_a_program_that_is_missing_is_a_death(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that cannot be started at all is tried again, then given up with the reason."""
    monkeypatch.setattr("deploy.processes.restarts.PAUSES_SECONDS", (0.0,))
    spec = ProcessSpec(
        name="worker", command=("/no/such/program",), env={}, cwd=workshop.data_dir.path
    )
    with pytest.raises(ProcessFailedError, match=r"cannot be started: .*No such file"):
        await SupervisedProcess(
            spec, workshop.console, workshop.data_dir, well_after=30
        ).supervise()


async def test_a_stop_is_an_end_in_peace(workshop: Workshop) -> None:
    """A process that ends at SIGTERM is neither killed nor started again."""
    async with workshop.supervised(
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit('goodbye'))\n"
        "print('hello')\n"
        "signal.pause()"
    ) as worker:
        await workshop.until_lines(1)
        await worker.stop(stop_timeout=HANGS_AFTER)
        assert workshop.lines() == ["hello", "goodbye"]
        assert not [line for line in workshop.lines("cluster") if "killing" in line]


async def test_a_process_that_does_not_stop_is_killed(workshop: Workshop) -> None:
    """SIGKILL comes when the patience is over, and a line says so."""
    async with workshop.supervised(
        "import signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('hello')\n"
        "while True: signal.pause()"
    ) as worker:
        await workshop.until_lines(1)
        await worker.stop(stop_timeout=0.1)
        told = workshop.lines("cluster")[-1]
        assert "worker did not end within 0.1 s of SIGTERM: killing it" in told


async def test_a_stop_ends_the_wait_for_a_restart(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that waits to be started again is not, once it is to stop."""
    monkeypatch.setattr("deploy.processes.restarts.PAUSES_SECONDS", (600.0,))
    async with workshop.supervised("raise SystemExit(7)") as worker:
        await workshop.until_lines(2, "cluster")
        await asyncio.wait_for(worker.stop(stop_timeout=600), HANGS_AFTER)


async def test_a_child_of_a_dead_process_delays_nothing(workshop: Workshop) -> None:
    """A death is seen although a child of the process still holds its output open."""
    async with workshop.supervised(
        "import os, signal, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(os.getpid(), child.pid)\n"
        "signal.pause()"
    ) as worker:
        (line,) = await workshop.until_lines(1)
        pid, child = map(int, line.split())
        os.kill(pid, signal.SIGKILL)
        await workshop.until_lines(2)
        worker.kill()
        os.kill(child, signal.SIGKILL)


async def test_lines_of_any_kind_are_taken(workshop: Workshop) -> None:
    """Long lines, lines that are not text and an unfinished last line stop nothing."""
    program = (
        "import sys\n"
        "out = sys.stdout.buffer\n"
        "out.write(b'x' * 1_000_000 + b'\\n' + b'caf\\xe9\\n' + b'unfinished')\n"
        "raise SystemExit(2)"
    )
    with pytest.raises(ProcessFailedError):
        await workshop.program(program).supervise()
    *long, odd, unfinished = workshop.lines()
    assert sum(map(len, long)) == 1_000_000
    assert (odd, unfinished) == ("caf\ufffd", "unfinished")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
async def test_a_process_dies_with_the_cluster(workshop: Workshop) -> None:
    """When the supervising process is killed, what it supervised gets SIGTERM."""
    supervise = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.unit.deploy.processes.test_process import SAY_PID_AND_WAIT, Workshop\n"
        "asyncio.run(Workshop(Path(sys.argv[1])).program(SAY_PID_AND_WAIT).supervise())"
    )
    other = workshop.data_dir.path / "other"
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", supervise, other)
    file = other / "log" / "worker.log"
    async with asyncio.timeout(HANGS_AFTER):
        while not (file.exists() and file.read_text()):  # noqa: ASYNC110  a file tells nobody
            await asyncio.sleep(0.01)
    child = int(file.read_text())
    parent.kill()
    await parent.wait()
    await until_gone(child)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exit code 0"),
        (7, "exit code 7"),
        (-9, "killed by SIGKILL"),
        (-99, "killed by signal 99"),
    ],
)
def test_an_exit_status_is_put_in_words(status: int, words: str) -> None:
    """A status says whether a process ended by itself or by which signal."""
    assert describe_exit(status) == words
