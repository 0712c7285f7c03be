"""Settings: read once from the environment, checked, frozen."""

from shared.config.errors import ConfigError, invalid
from shared.config.loading import given_names, incarnation, load, load_or_exit, refuse
from shared.config.paths import FilePath
from shared.config.settings import DATABASE_FILE, MAX_BACKLOG_LIMIT, MAX_PARTITIONS, Settings

__all__ = [
    "DATABASE_FILE",
    "MAX_BACKLOG_LIMIT",
    "MAX_PARTITIONS",
    "ConfigError",
    "FilePath",
    "Settings",
    "given_names",
    "incarnation",
    "invalid",
    "load",
    "load_or_exit",
    "refuse",
]
