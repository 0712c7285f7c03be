"""`deploy.cluster` with additional environment variables for single processes.

`PROCESS_ENVIRONS` holds a JSON object: for each process, by name, the variables it gets on top.
`PROCESS_PRELUDES` holds another: for some, a file of shell commands that are run before each start.
"""

import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from deploy.cluster import main
from deploy.members import Members
from deploy.processes.process import ProcessSpec
from shared.command_line import SETTINGS, command_line

AFTER_PRELUDE = '. "$0"; exec "$@"'


def adjusted(members: Members) -> Members:
    """Members with their own variables."""
    own = msgspec.json.decode(os.environ["PROCESS_ENVIRONS"], type=dict[str, dict[str, str]])
    preludes = msgspec.json.decode(os.environ["PROCESS_PRELUDES"], type=dict[str, str])

    def with_own(specs: list[ProcessSpec]) -> list[ProcessSpec]:
        return [
            replace(
                spec,
                env={**spec.env, **with_credentials(spec.env, own.get(spec.name, {}))},
                command=after(preludes.get(spec.name), spec.command),
            )
            for spec in specs
        ]

    return replace(
        members,
        redis=with_own(members.redis),
        persisters=with_own(members.persisters),
        gateways=with_own(members.gateways),
        balancer=with_own(members.balancer),
    )


def with_credentials(env: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """A process's own variables, with the password of this run's broker in the URL of its own."""
    if "REDIS_URL" not in own:
        return dict(own)
    credentials = "".join(urlsplit(env["REDIS_URL"]).netloc.rpartition("@")[:2])
    url = urlsplit(own["REDIS_URL"])
    return {**own, "REDIS_URL": url._replace(netloc=f"{credentials}{url.netloc}").geturl()}


def after(prelude: str | None, command: tuple[str, ...]) -> tuple[str, ...]:
    """A command with a prelude, in one process."""
    return ("/bin/sh", "-c", AFTER_PRELUDE, prelude, *command) if prelude else command


if __name__ == "__main__":
    command_line("tests.faults.launcher", __doc__, SETTINGS).parse_args()
    sys.exit(main(adjusted))
