"""Where a connection stands that has to show who it is first."""

from typing import NamedTuple


class Entrance(NamedTuple):
    """What a client said when it connected, for when it is known who it is.

    Attributes:
        claims: the name that it says it has.
        welcome: whether it wants to be told where it is.
    """

    claims: str | None = None
    welcome: bool = False
