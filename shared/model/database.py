"""The identity of the database in which an installation is stored."""

import msgspec


class DatabaseIdentity(msgspec.Struct, frozen=True):
    """An identity that a copy of the database does not have (see `shared/storage/identity.py`).

    Attributes:
        name: `<place>@<file system>`; empty if unknown. Some file systems get another name when the
            machine starts again; the place stays the same.
        adoptions: the number of times that a database took the place of the one before it.
    """

    name: str = ""
    adoptions: int = 0

    @property
    def place(self) -> str:
        """The part of the name that stays the same after the machine starts again."""
        return self.name.partition("@")[0]
