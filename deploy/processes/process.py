"""A supervised process: it is started, restarted when it ends, and stopped."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from deploy.data_dir import DataDir
from deploy.processes.console import Console
from deploy.processes.line_pipe import LinePipe
from deploy.processes.restarts import RestartPolicy
from shared.supervision import ProcessState

BAD_SETTING = 2  # the exit code of a process that refused a setting, and of the cluster then
OBSTACLE_INTERVAL_SECONDS = 0.5  # between two looks at what stands in the way of a start
PR_SET_PDEATHSIG = 1


class ProcessSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The specification of a process.

    Attributes:
        env: the whole environment.
        stdin: a file that it reads from standard input, such as one with a password.
        refuses_settings: True if exit code 2 means an invalid setting, which the process has
            printed. It is not restarted then, unless it came up before.
        repair: called when the process ended with another exit code. It repairs broken files, and
            returns a sentence about it, or None.
        obstacle: called before each start, in a thread. It returns what has to change before the
            process can run, such as a full disk, and None if nothing has.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    stdin: Path | None = None
    refuses_settings: bool = False
    repair: Callable[[], str | None] | None = None
    obstacle: Callable[[], str | None] | None = None


class ProcessFailedError(Exception):
    """A process failed for good. `exit_code` is the exit code of the cluster."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class SupervisedProcess:
    """Keeps one process running from `supervise` to `stop`.

    Attributes:
        state: what the status page shows of it.
    """

    def __init__(
        self,
        spec: ProcessSpec,
        console: Console,
        data_dir: DataDir,
        well_after: float,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare.

        Args:
            spec: how to run it.
            console: shows its output.
            data_dir: the folder of its pid file.
            well_after: an uptime in seconds after which failures are counted anew.
            on_change: called after each change of `state`.
        """
        self.name = spec.name
        self.state = ProcessState(name=spec.name)
        self._spec = spec
        self._console = console
        self._data_dir = data_dir
        self._well_after = well_after
        self._on_change = on_change
        self._restarts = RestartPolicy()
        self._last_lines: deque[str] = deque(maxlen=5)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    async def supervise(self) -> None:
        """Run the process until `stop`, and restart it whenever it ends.

        Raises:
            ProcessFailedError: It refuses its settings or keeps ending, and never came up.
        """
        pipe = LinePipe(self._show)
        try:
            await self._wait_out_obstacle()
            while not self._stopping.is_set():
                ending = await self._run_once(pipe)
                if not self._stopping.is_set():
                    await self._wait_to_restart(ending)
        finally:
            pipe.close()
            self._data_dir.remove_pid(self.name)
            self._ended.set()

    def came_up(self) -> None:
        """Note that the process was ready: from now on it is always restarted."""
        self._restarts.came_up = True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal that ends the process; it is not restarted afterwards."""
        self._stopping.set()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it ended just now
                os.kill(self._process.pid, number)

    async def stop(self, stop_timeout: float) -> None:
        """End the process with SIGTERM and, after `stop_timeout` seconds, with SIGKILL."""
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._ended.wait(), stop_timeout)
        except TimeoutError:
            self._console.say(
                f"{self.name} did not end within {stop_timeout:g} s of SIGTERM: killing it",
                "warning",
            )
            self.kill()
            await self._ended.wait()

    def kill(self) -> None:
        """Kill the process and its children."""
        self._stopping.set()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _run_once(self, pipe: LinePipe) -> str:
        """Run the process to its end; return how it ended."""
        try:
            with (self._spec.stdin or Path(os.devnull)).open("rb") as stdin:
                self._process = process = await asyncio.create_subprocess_exec(
                    *self._spec.command,
                    cwd=self._spec.cwd,
                    env=self._spec.env,
                    stdin=stdin,
                    stdout=pipe.write_end,
                    stderr=pipe.write_end,
                    # Its own session: Ctrl-C in the terminal reaches the cluster alone.
                    start_new_session=True,
                    preexec_fn=_terminate_with_parent(),
                )
        except OSError as error:
            return f"cannot be started: {error}"
        self._record_start(process.pid)
        if self._stopping.is_set():  # `stop` was called while it was being started
            self.signal(signal.SIGTERM)
        well = asyncio.get_running_loop().call_later(self._well_after, self._ran_well)
        status = await process.wait()
        well.cancel()
        pipe.finish()
        if not self._stopping.is_set():
            await self._judge(status)
        return describe_exit(status)

    async def _judge(self, status: int) -> None:
        """Handle an exit status that says more than that the process ended."""
        refused = self._spec.refuses_settings and status == BAD_SETTING
        if refused and not self._restarts.came_up:
            raise ProcessFailedError(
                f"{self.name} refused a setting (exit code {status}): see its last line",
                exit_code=BAD_SETTING,
            )
        if status > 0 and self._spec.repair is not None:
            await self._repair(self._spec.repair)

    def _ran_well(self) -> None:
        self._restarts.ran_well()
        self._change(failures=0)

    def _change(self, **fields: object) -> None:
        self.state = msgspec.structs.replace(self.state, **fields)
        self._on_change()

    async def _repair(self, repair: Callable[[], str | None]) -> None:
        try:
            done = await asyncio.to_thread(repair)
        except OSError as error:  # such as a full disk
            done = f"{self.name} could not be repaired: {error}"
        if done:
            self._console.say(done, "warning")

    def _record_start(self, pid: int) -> None:
        try:
            self._data_dir.write_pid(self.name, pid)
        except OSError as error:  # such as a full disk; the process can run without the file
            self._console.say(f"the pid file of {self.name} cannot be written: {error}", "warning")
        self._console.say(f"{self.name} started (pid {pid})")
        self._change(pid=pid, next_try_at=None)

    def _show(self, line: str) -> None:
        self._last_lines.append(line)
        self._console.line(self.name, line)

    async def _wait_to_restart(self, ending: str) -> None:
        self._change(pid=None, failures=self._restarts.failures + 1, ending=ending)
        if await self._wait_out_obstacle(f"{self.name} ended ({ending})"):
            self._restarts.failures = 0  # it ended for this reason, which is gone
            return
        pause = self._restarts.pause_after_failure()
        times = f"{self._restarts.failures} times in a row"
        if pause is None:
            log_file = self._data_dir.log / f"{self.name}.log"
            last_lines = "".join(f"\n    {line}" for line in self._last_lines)
            raise ProcessFailedError(
                f"{self.name} ended {times}, the last time: {ending};"
                f" its last lines (more in {log_file}):{last_lines}",
                exit_code=1,
            )
        how_often = f", {times}" if self._restarts.failures > 1 else ""
        when = f"in {pause:g} s" if pause else "at once"
        line = f"{self.name} ended ({ending}){how_often}: restarting it {when}"
        self._console.say(line, "warning")
        self._change(next_try_at=int((time.time() + pause) * 1000))
        await self._sleep(pause)

    async def _wait_out_obstacle(self, ended: str = "") -> bool:
        """Wait until nothing stands in the way of a start. Return True if something did."""
        waits_for = await self._find_obstacle()
        if waits_for is None:
            return False
        opening = f"{ended}: it" if ended else self.name
        self._console.say(f"{opening} starts as soon as {waits_for}", "warning")
        while waits_for is not None and not self._stopping.is_set():
            self._change(waits_for=waits_for)
            await self._sleep(OBSTACLE_INTERVAL_SECONDS)
            waits_for = await self._find_obstacle()
        self._change(waits_for=None)
        return True

    async def _find_obstacle(self) -> str | None:
        find = self._spec.obstacle
        return await asyncio.to_thread(find) if find is not None else None

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def describe_exit(status: int) -> str:
    """Describe the exit status of a process; a negative status is a signal."""
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def _terminate_with_parent() -> Callable[[], None] | None:
    """Return a function by which a child gets SIGTERM when this process is killed.

    Only Linux can do this. The function runs between fork and exec. There it may use only what was
    prepared before: an import, a lock or an allocation could wait for a lock that another thread
    held at the fork.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before the line above
            os._exit(1)

    return in_child
