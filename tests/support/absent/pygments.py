"""In place of a package that requirements/runtime.txt does not name."""

raise ImportError(name="pygments")
