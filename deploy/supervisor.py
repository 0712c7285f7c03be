"""The supervisor: starts the processes of a cluster, and stops them in order."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Coroutine, Mapping

from deploy.data_dir import DataDir
from deploy.members import Members
from deploy.ports import PortPlan
from deploy.processes.console import Console
from deploy.processes.probes import Probe, http_probe, redis_probe, until_all_answer
from deploy.processes.process import ProcessFailedError, ProcessSpec, SupervisedProcess
from deploy.servers.balancer import SOFT_STOP
from shared.supervision import SupervisionFile

READY = "/health/ready"
BALANCER_START_SECONDS = 5.0  # after this time it starts even if no gateway is ready
INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended


class Supervisor:
    """Keeps the processes of a cluster running until a signal, or until one never comes up."""

    def __init__(
        self,
        members: Members,
        plan: PortPlan,
        data_dir: DataDir,
        console: Console,
        *,
        stop_timeout: float,
        well_after: float,
    ) -> None:
        """Prepare.

        Args:
            members: the specifications of the processes.
            plan: the addresses on which they listen.
            data_dir: the folder of their pid files.
            console: shows their output.
            stop_timeout: seconds a process may take to stop before it is killed.
            well_after: an uptime in seconds after which the failures of a process are counted anew.

        Raises:
            OSError: the folder cannot be written to.
        """

        def supervised(specs: list[ProcessSpec]) -> list[SupervisedProcess]:
            return [
                SupervisedProcess(spec, console, data_dir, well_after, self._show) for spec in specs
            ]

        self._redis = supervised(members.redis)
        self._persisters = supervised(members.persisters)
        self._gateways = supervised(members.gateways)
        self._balancer = supervised(members.balancer)
        self._all = self._redis + self._persisters + self._gateways + self._balancer
        self._shown = SupervisionFile(data_dir.path, len(self._all))
        self._redis_password = members.redis_password
        self._plan = plan
        self._data_dir = data_dir
        self._console = console
        self._patience = stop_timeout
        self._running: list[SupervisedProcess] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._interrupted = False

    async def run(
        self, before: Awaitable[None], beside: Coroutine[None, None, None] | None = None
    ) -> int:
        """Run the cluster to its end; return the exit code.

        Args:
            before: what to wait for before anything is started. Its errors end the cluster.
            beside: what runs meanwhile, until the cluster is told to end.
        """
        self._listen_to_signals()
        own = [self._spawn(self._start(before))]
        if beside is not None:
            own.append(self._spawn(beside))
        try:
            exit_code = await self._exit_code
        finally:
            for task in own:
                task.cancel()
            await self._stop()
            self._shown.remove()
        return INTERRUPTED if self._interrupted else exit_code

    async def _start(self, before: Awaitable[None]) -> None:
        await before
        self._supervise(self._redis)
        redis = redis_probe(self._plan.redis, self._redis_password)
        await self._until_ready({p.name: redis for p in self._redis})
        self._came_up(self._redis)
        # Persisters and gateways wait by themselves until they can reach what they need.
        self._supervise(self._persisters + self._gateways)
        numbered = enumerate(self._gateways, start=1)
        gateways = {p.name: http_probe(self._plan.gateway(n), READY) for n, p in numbered}
        # Without a ready gateway the load balancer would log an error for each, and delay requests
        # by a second. After BALANCER_START_SECONDS it starts anyway, so that operators can read the
        # gateways' own answers through it.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BALANCER_START_SECONDS):
                await self._until_ready(gateways)
        self._supervise(self._balancer)
        await self._until_ready(gateways)
        tls = self._plan.url.startswith("https:")
        balancer = {p.name: http_probe(self._plan.balancer, READY, tls=tls) for p in self._balancer}
        await self._until_ready(balancer)
        self._came_up(self._all)
        with contextlib.suppress(OSError):  # such as a full disk
            self._data_dir.note_ready()
        print_line(f"cluster ready: {self._plan.url}")

    async def _stop(self) -> None:
        """Stop all processes; those on which no others depend come first."""
        for balancer in self._balancer:
            if balancer.name in SOFT_STOP and balancer in self._running:
                balancer.signal(SOFT_STOP[balancer.name])
        for stage in (self._gateways, self._persisters, self._redis, self._balancer):
            stopping = [process for process in stage if process in self._running]
            await asyncio.gather(*(process.stop(self._patience) for process in stopping))
        if self._running:
            self._console.say("stopped")

    async def _until_ready(self, probes: Mapping[str, Probe]) -> None:
        await until_all_answer(probes, self._console.say)

    def _came_up(self, processes: list[SupervisedProcess]) -> None:
        for process in processes:
            process.came_up()

    def _show(self) -> None:
        """Let the status page show the states of all processes."""
        with contextlib.suppress(OSError):  # the disk is broken; the log has it all
            self._shown.write([process.state for process in self._all])

    def _supervise(self, processes: list[SupervisedProcess]) -> None:
        for process in processes:
            self._running.append(process)
            self._spawn(self._run_supervised(process))

    async def _run_supervised(self, process: SupervisedProcess) -> None:
        try:
            await process.supervise()
        except ProcessFailedError as error:
            for line in str(error).splitlines():  # it includes the last lines of the process
                self._console.say(line, "error")
            self._end(error.exit_code)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._exit_code.done():
            self._exit_code.set_exception(error)

    def _end(self, exit_code: int) -> None:
        if not self._exit_code.done():
            self._exit_code.set_result(exit_code)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # A cluster that was started with nohup goes on when its terminal is closed.
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: signal.Signals) -> None:
        if not self._exit_code.done():
            self._console.say(f"{number.name}: stopping in order; a second signal kills at once")
            self._end(0)
        elif not self._interrupted:
            self._interrupted = True
            self._console.say(f"{number.name} again: killing running processes", "warning")
            for process in self._running:
                process.kill()


def print_line(line: str) -> None:
    """Print `line` to standard output, also if its reader has closed it."""
    with contextlib.suppress(OSError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
