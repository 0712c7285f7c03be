"""Paths of files and folders in settings."""

import os
from typing import Self


class FilePath(str):
    """A path of a file or folder; `~` at its beginning stands for a home folder.

    A shell replaces `~`, and files of settings that no shell reads leave it as it is: the data
    would be in a folder of that name.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a path.

        Raises:
            ValueError: it begins with the home folder of nobody.
        """
        path = os.path.expanduser(text)  # noqa: PTH111 - pathlib raises for a home that is unknown
        if path.startswith("~"):
            home = path.partition("/")[0]
            raise ValueError(
                f"there is no home folder {home}; for a folder of that name, write ./{home}"
            )
        return cls(path)
