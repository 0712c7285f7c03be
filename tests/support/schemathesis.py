"""schemathesis against the OpenAPI document of a cluster."""

import asyncio
import sys
from pathlib import Path

from tests.support.cluster import Cluster


async def schemathesis(cluster: Cluster, folder: Path, *options: str) -> str:
    """Run schemathesis, which must find nothing; return its output.

    Args:
        cluster: it is run against this one.
        folder: for its files.
        options: more of the command line.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{cluster.url}/openapi.json"),
        *("--max-examples", "60", "--seed", "1", "--workers", "1", "--no-color"),
        *("--suppress-health-check", "all"),
        # No schema can say which names can be seen.
        *("--exclude-checks", "positive_data_acceptance"),
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()
