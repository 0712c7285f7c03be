"""Grants: signed proofs that a user was let into a protected room.

A client shows its grant instead of the password when it joins or resumes again, so a wave of
reconnects hashes no passwords. Grants are signed with `SECRET_KEYS`, bound to a user and a room,
and expire. A new password ends the room's older grants; a kick ends the user's older grants.
Source: itsdangerous, timed signatures.
"""

import secrets

from itsdangerous import BadData, URLSafeTimedSerializer

from shared.config import Settings
from shared.model.rooms import Room
from shared.telemetry import logger

log = logger(__name__)


class Grants:
    """Signs grants and checks them."""

    def __init__(self, settings: Settings) -> None:
        keys = settings.secret_keys.keys
        if not keys:
            keys = [secrets.token_urlsafe(32)]
            log.warning("SECRET_KEYS is not set: grants are valid on this gateway until it stops")
        # The library signs with the last key and tries all.
        self._serializer = URLSafeTimedSerializer(keys[::-1], salt="room grant")
        self._max_age = settings.grant_hours * 3600

    def give(self, user: str, room: Room, since: int) -> str:
        """Make a grant for a protected room.

        Args:
            user: display name of the user who was let in.
            room: the grant is bound to its id, so it does not open a later room of the same name.
            since: the room's head when the user was let in.
        """
        return str(self._serializer.dumps([user, room.id, since]))

    def holds(self, grant: str | None, user: str, room: Room) -> bool:
        """Return True if a grant is signed by us, not expired, and not ended by a kick or password.

        The comparison with `since` ends grants that no gateway knows of. Example: Ann gets a grant
        with `since` 20 and stores it. Event 31 sets a new password, so `min_valid_since` is 31 and
        the grant is void, with no list of issued grants anywhere.
        """
        if not grant:
            return False
        try:
            claims = self._serializer.loads(grant, max_age=int(self._max_age))
        except BadData:
            return False
        match claims:
            case [holder, room_id, int(since)]:
                is_for_both = holder == user and room_id == room.id
                return is_for_both and since >= room.min_valid_since(user)
            case _:
                return False
