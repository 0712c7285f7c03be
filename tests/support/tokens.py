"""Tokens for tests, signed by PyJWT."""

import time
from typing import Any

import jwt

KEY = "a key for tests, long enough even for an algorithm that the server does not take"

JWT: dict[str, str] = {"AUTH_MODE": "jwt", "JWT_KEY": KEY}
"""The settings of a server that takes these tokens."""


def token(
    user: object,
    *,
    lasts: float = 3600,
    key: Any = KEY,  # noqa: ANN401 - whatever the algorithm signs with
    algorithm: str = "HS256",
    headers: dict[str, Any] | None = None,
    **more: object,
) -> str:
    """A token that names a user.

    Args:
        user: the claim `sub`.
        lasts: seconds from now.
        key: to sign with.
        algorithm: to sign by.
        headers: beside `alg` and `typ`.
        more: other claims; None leaves one out.
    """
    claims = {"sub": user, "exp": int(time.time() + lasts)} | more
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers=headers)
