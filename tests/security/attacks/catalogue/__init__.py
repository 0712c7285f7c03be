"""All attacks, and the worst of them."""

from collections.abc import Iterator

from tests.security.attacks.attack import Attack
from tests.security.attacks.catalogue import actions, endpoints, packets


def attacks() -> Iterator[Attack]:
    """Every attack, one after the other: they are large."""
    yield from packets.attacks()
    yield from endpoints.attacks()
    yield from actions.attacks()


def worst() -> Iterator[Attack]:
    """The attacks that stand for their parser or handler."""
    return (attack for attack in attacks() if attack.worst)
