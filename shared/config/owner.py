"""The running cluster of a data folder, for the commands of an operator."""

import contextlib
import fcntl
import os
from pathlib import Path

import msgspec

from shared.config.errors import ConfigError


class Owner(msgspec.Struct, frozen=True):
    """The cluster that has the lock of a data folder.

    Attributes:
        pid: the process id of its supervisor.
        url: its address for clients.
        redis_url: its own Redis; empty where it uses one of the operator's.
        own_database: True if its database is the SQLite file in the folder.
        auth_mode: its AUTH_MODE; empty where that is not known.
        redis_url_in_file: True if the URL of its own Redis, with its password, is in a file beside
            this one. Builds that had no password did not write one.
    """

    pid: int
    url: str
    redis_url: str = ""
    own_database: bool = True
    auth_mode: str = ""
    redis_url_in_file: bool = False


def lock_file(data_dir: str | Path) -> Path:
    """The file that the running cluster of a folder has locked, with the `Owner` in it."""
    return Path(data_dir).absolute() / "run" / "cluster.lock"


def security_log(data_dir: str | Path) -> Path:
    """The file of security events of the cluster of a folder."""
    return Path(data_dir).absolute() / "log" / "security.log"


def redis_url_file(data_dir: str | Path) -> Path:
    """The private file with the URL of the embedded Redis of a folder, and its password."""
    return Path(data_dir).absolute() / "run" / "redis_url"


def find_owner(data_dir: str | Path) -> Owner | None:
    """Find the running cluster of a folder; None if there is none.

    Raises:
        ConfigError: the folder belongs to another user.
    """
    try:
        opened = os.open(lock_file(data_dir), os.O_RDONLY)
    except PermissionError:
        raise ConfigError(
            f"DATA_DIR={Path(data_dir).absolute()} belongs to another user: use that of the cluster"
        ) from None
    except OSError:
        return None
    with os.fdopen(opened, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(msgspec.DecodeError):  # it has not written itself yet
                return msgspec.json.decode(file.read(), type=Owner)
    return None


def cluster_settings(data_dir: str, given: frozenset[str], *, redis: bool) -> dict[str, str]:
    """The values that the cluster of a folder uses for settings that are not given.

    Args:
        data_dir: the folder of the cluster.
        given: the variables that the environment gives.
        redis: True for a command that needs Redis.

    Raises:
        ConfigError: it cannot be known what the cluster uses. The text says what to do.
    """
    owner = find_owner(data_dir)
    path, found = Path(data_dir).absolute(), dict[str, str]()
    if "SECURITY_LOG" not in given and security_log(path).parent.is_dir():
        found["SECURITY_LOG"] = str(security_log(path))
    if owner and not owner.own_database and "DATABASE_URL" not in given:
        raise ConfigError(
            f"the cluster in {path} uses a database of yours: set DATABASE_URL as it has it"
        )
    if owner and owner.auth_mode and "AUTH_MODE" not in given:
        found["AUTH_MODE"] = owner.auth_mode
    if not redis or "REDIS_URL" in given:
        return found
    if owner is None:
        raise ConfigError(
            f"no cluster runs in {path}: start it, set DATA_DIR to the folder of the one that you"
            " mean, or set REDIS_URL"
        )
    if not owner.redis_url:
        raise ConfigError(
            f"the cluster in {path} uses a Redis of yours: set REDIS_URL as it has it"
        )
    if owner.redis_url_in_file:
        return {**found, "REDIS_URL": redis_url_file(data_dir).read_text().strip()}
    return {**found, "REDIS_URL": owner.redis_url}
