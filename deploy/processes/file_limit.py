"""The limit of open files, and so of connections, of a process."""

import resource

# HAProxy allocates tables with an entry for each file, so "unlimited" needs a bound.
MAX_OPEN_FILES = 1_048_576


def raise_file_limit() -> int:
    """Raise the limit of this process and its children as far as allowed; return the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has a lower limit of its own
            wanted = soft
    return wanted
