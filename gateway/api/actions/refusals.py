"""Refusals of rules, as security events."""

from typing import Protocol

from gateway.access.authorization import Principal, Verdict
from gateway.access.rates.limits import Asker as LimitedAsker
from gateway.api.gateway import Gateway
from gateway.api.handlers.acts import room_label
from gateway.api.targets import Target
from shared.model import commands
from shared.trail.events import AccessRefusal, AccessRefused


class Asker(Principal, LimitedAsker, Protocol):
    """A principal with an address, whom rates count."""


def note_refusal(
    gateway: Gateway, asker: Asker, command: commands.Command, target: Target, verdict: Verdict
) -> None:
    """Write to the trail that a rule refused an action.

    What there is not is no event: it is what a client gets that left the room, or whose chat was
    deleted.
    """
    room, user = target.room, asker.display_name
    reason: AccessRefusal = "forbidden"
    if room is not None and room.kind == "room" and user in room.standings.banned:
        reason = "banned"
    elif verdict is Verdict.UNSEEN:
        if room is None:
            return
        reason = "hidden"
    event = AccessRefused(
        action=type(command).__name__,
        reason=reason,
        address=asker.address,
        user=user or None,
        room=room_label(room) if room else None,
    )
    gateway.access.trail.note(event, asker.source)
