"""Other builds: copies of the sources with changes."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tests.support.process import ROOT

PACKAGES: Final = ("shared", "gateway", "clients", "persister", "deploy", "tests")


class Patch(Protocol):
    """A change of a copy of the sources."""

    def apply(self, root: Path) -> None:
        """Apply the change to the copy at `root`."""


@dataclass(frozen=True)
class Change:
    """A replacement of a text that is in a file exactly once."""

    file: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        """Make the change.

        Raises:
            ValueError: the text is not there once: the change has to be written anew.
        """
        text = (root / self.file).read_text()
        if text.count(self.old) != 1:
            count = text.count(self.old)
            raise ValueError(f"{self.file} holds {self.old!r} {count} times: mend this change")
        (root / self.file).write_text(text.replace(self.old, self.new))


@dataclass(frozen=True)
class NewFile:
    """A file that the sources do not have."""

    file: str
    text: str

    def apply(self, root: Path) -> None:
        """Write it.

        Raises:
            FileExistsError: the sources have it by now.
        """
        with (root / self.file).open("x") as file:
            file.write(self.text)


@contextmanager
def changed_sources(patches: Iterable[Patch], *more: str) -> Iterator[Path]:
    """A copy of the sources with changes, while the block runs.

    Args:
        patches: the changes.
        more: files and folders of the repository to copy beside the packages.
    """
    with tempfile.TemporaryDirectory(prefix="parley-changed-") as folder:
        root = Path(folder)
        for name in (*PACKAGES, *more):
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, root / name)
            else:
                ignored = shutil.ignore_patterns("__pycache__", "node_modules")
                shutil.copytree(ROOT / name, root / name, ignore=ignored)
        for patch in patches:
            patch.apply(root)
        yield root
