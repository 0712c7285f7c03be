"""How many files, and so connections, a process may hold open."""

import resource

# HAProxy makes tables with an entry for each; where the limit is "none", that is a lot.
MAX_OPEN_FILES = 1_048_576


def raise_file_limit() -> int:
    """Raise the limit of this process and its children as far as allowed; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has a lower limit of its own
            wanted = soft
    return wanted
