"""Grants: what a client that knew a room's password may show instead of it later.

Signed with `SECRET_KEYS`, bound to a user and a room, and they expire; a new password ends those of
the room that were given before it, a kick those of the user. So a storm of reconnects hashes no
password. Source: itsdangerous, timed signatures.
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
        keys = [key.strip() for key in settings.secret_keys.split(",") if key.strip()]
        if not keys:
            keys = [secrets.token_urlsafe(32)]
            log.warning("no SECRET_KEYS: grants hold on this gateway, until it ends")
        # The library signs with the last key and tries all.
        self._serializer = URLSafeTimedSerializer(keys[::-1], salt="room grant")
        self._max_age = settings.grant_hours * 3600

    def give(self, user: str, room: Room, since: int) -> str:
        """A grant for a protected room that somebody was let into at the place `since`."""
        return str(self._serializer.dumps([user, room.id, since]))

    def holds(self, grant: str | None, user: str, room: Room) -> bool:
        """Whether a grant opens a room for a user: ours, fresh, and not ended by the room."""
        if not grant:
            return False
        try:
            claims = self._serializer.loads(grant, max_age=int(self._max_age))
        except BadData:
            return False
        match claims:
            case [holder, room_id, int(since)]:
                is_theirs = holder == user and room_id == room.id
                return is_theirs and since >= room.opened_to(user)
            case _:
                return False
