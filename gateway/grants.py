"""Grants: what a client that knew a room's password may show instead of it later.

Signed with `SECRET_KEYS`, bound to user, room and password, and they expire. So a storm of
reconnects hashes no password. Source: itsdangerous, timed signatures.
"""

import secrets
from hashlib import sha256

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

    def give(self, user: str, room: Room) -> str:
        """A grant for a protected room."""
        return str(self._serializer.dumps(_claims(user, room)))

    def holds(self, grant: str | None, user: str, room: Room) -> bool:
        """Whether a grant opens a room for a user: it is ours, fresh, and of this password."""
        if not grant:
            return False
        try:
            claims = self._serializer.loads(grant, max_age=int(self._max_age))
        except BadData:
            return False
        return bool(claims == _claims(user, room))


def _claims(user: str, room: Room) -> list[str | int]:
    return [user, room.id, password_version(room)]


def password_version(room: Room) -> str:
    """The hash of the hash of a room's password: it changes with it and says nothing of it."""
    return sha256(room.password_hash.encode()).hexdigest()[:16]
