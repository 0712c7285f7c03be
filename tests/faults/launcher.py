"""`deploy.cluster`, with more in the environment of single processes than all of them have.

`PROCESS_ENVIRONS` holds a JSON object: for each process, by name, the variables it gets on top.
"""

import os
import sys

import msgspec
from msgspec.structs import replace

from deploy.cluster import main
from deploy.members import Members
from deploy.process import ProcessSpec


def adjusted(members: Members) -> Members:
    """Members with their own variables."""
    own = msgspec.json.decode(os.environ["PROCESS_ENVIRONS"], type=dict[str, dict[str, str]])

    def with_own(specs: list[ProcessSpec]) -> list[ProcessSpec]:
        return [replace(spec, env={**spec.env, **own.get(spec.name, {})}) for spec in specs]

    return Members(
        redis=with_own(members.redis),
        persisters=with_own(members.persisters),
        gateways=with_own(members.gateways),
        balancer=with_own(members.balancer),
    )


if __name__ == "__main__":
    sys.exit(main(adjusted))
