"""Which database an installation is stored in."""

import msgspec


class DatabaseIdentity(msgspec.Struct, frozen=True):
    """A database, by something that a copy of it does not have (see `shared/storage/identity.py`).

    Attributes:
        name: `<place>@<file system>`; empty where it is not known. Some file systems have another
            name after the machine was started again; the place stays.
        adoptions: how often a database has taken the place of the one before it.
    """

    name: str = ""
    adoptions: int = 0

    @property
    def place(self) -> str:
        """The part of the name that stays."""
        return self.name.partition("@")[0]
