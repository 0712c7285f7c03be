"""The load generator: reads a job from standard input, writes its result to standard output."""

import gc
import resource
import sys
from collections.abc import Awaitable, Callable

import msgspec
import uvloop
from picows import WSError, WSHandshakeError

from shared.command_line import command_line
from tests.bench.load.idle import idle
from tests.bench.load.rate import at_rate
from tests.bench.load.room import InvalidRunError
from tests.bench.load.saturation import saturate
from tests.bench.load.storms import connect_storm, reconnect_storm
from tests.bench.plan import Job, Kind

MEASUREMENTS: dict[Kind, Callable[[Job], Awaitable[dict[str, object]]]] = {
    "saturation": saturate,
    "rate": at_rate,
    "idle": idle,
    "connect": connect_storm,
    "reconnect": reconnect_storm,
}


async def measure(job: Job) -> dict[str, object]:
    """Do the job."""
    gc.disable()  # a pause would be seen as latency
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return await MEASUREMENTS[job.scenario.kind](job)


def main() -> int:
    """Return 0, or 1 when the run was invalid; then standard error says why."""
    command_line("tests.bench.load", __doc__).parse_args()
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    result: dict[str, object] = {}
    try:
        result = uvloop.run(measure(job))
    except* (InvalidRunError, OSError, WSError, WSHandshakeError) as errors:
        print(f"  invalid: {errors.exceptions[0]!r}", file=sys.stderr)
    if not result:
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
