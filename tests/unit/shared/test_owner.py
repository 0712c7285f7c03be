"""What commands take over from the cluster that runs in a data folder."""

import fcntl
from pathlib import Path

import msgspec
import pytest

from shared.config.owner import Owner, cluster_settings, lock_file


@pytest.mark.parametrize(
    ("auth_mode", "found"),
    [("jwt", {"AUTH_MODE": "jwt"}), ("open", {"AUTH_MODE": "open"}), ("", {})],
)
def test_the_mode_of_a_cluster(tmp_path: Path, auth_mode: str, found: dict[str, str]) -> None:
    """A command has the AUTH_MODE of the cluster, or none where an older build does not say it."""
    lock = lock_file(tmp_path)
    lock.parent.mkdir()
    lock.write_bytes(msgspec.json.encode(Owner(1, "http://127.0.0.1:1", auth_mode=auth_mode)))
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert cluster_settings(str(tmp_path), frozenset(), redis=False) == found
