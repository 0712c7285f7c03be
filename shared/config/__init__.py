"""Settings: read once from the environment, checked, frozen."""

from shared.config.loading import (
    ConfigError,
    incarnation,
    invalid,
    load,
    load_or_exit,
    refuse,
)
from shared.config.settings import MAX_BACKLOG_LIMIT, MAX_PARTITIONS, Settings

__all__ = [
    "MAX_BACKLOG_LIMIT",
    "MAX_PARTITIONS",
    "ConfigError",
    "Settings",
    "incarnation",
    "invalid",
    "load",
    "load_or_exit",
    "refuse",
]
