"""Somebody who asks, for tests of what each of many may ask."""

from typing import NamedTuple

from shared.trail import Source


class Asker(NamedTuple):
    """Somebody who asks.

    Attributes:
        rate_subject: who is counted: the user, for one.
        address: where they ask from.
        display_name: how others see them.
        source: as the trail counts them.
    """

    rate_subject: str
    address: str = "192.0.2.1"
    display_name: str = "somebody"
    source: Source = Source("192.0.2.1")
