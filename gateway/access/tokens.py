"""Verification of tokens: JSON Web Tokens (RFC 7519) that name their bearer."""

import math
from typing import Any, Final, NamedTuple

import jwt
import msgspec

from gateway.access.keys import Keys
from gateway.protocols.reading import read_leniently
from shared.config import Settings
from shared.model.fields import UserId, check_text
from shared.protocol.limits import MAX_TOKEN_CHARACTERS
from shared.trail import LoginError
from shared.trail.events import LoginRefusal

MAX_EXPIRY_UNIX_SECONDS: Final = 10**11
"""Latest expiry, in seconds since 1970; a later one counts as this, as dates have a bound."""


class _LastsTooLong(jwt.PyJWTError):
    """From its `iat` to its `exp`, a token lasts for longer than JWT_MAX_HOURS."""


REFUSAL_MESSAGES: Final[dict[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.InvalidAudienceError: "the token is not for this server",
    jwt.InvalidIssuerError: "the token is not from the issuer that this server trusts",
    jwt.MissingRequiredClaimError: "the token lacks a claim that it must have",
    _LastsTooLong: "the token lasts for longer than this server takes",
}
"""Error texts by exception; they repeat nothing of the token's content."""

REFUSALS: Final[dict[type[Exception], LoginRefusal]] = {
    jwt.ExpiredSignatureError: "token_expired",
    jwt.ImmatureSignatureError: "token_not_yet_valid",
    jwt.InvalidAudienceError: "token_of_other_audience",
    jwt.InvalidIssuerError: "token_of_other_issuer",
    jwt.MissingRequiredClaimError: "token_without_claim",
    _LastsTooLong: "token_lasts_too_long",
}
"""Reasons for the trail by exception; `token_invalid` for others."""

VERIFICATION_ERRORS: Final = (
    jwt.PyJWTError,
    msgspec.ValidationError,
    # The library does not catch these for some crafted tokens.
    ValueError,
    TypeError,
    ArithmeticError,
    RecursionError,
)
"""Exceptions that reading a token can raise; each means that the token is not valid."""


class Bearer(NamedTuple):
    """The user that a token names.

    Attributes:
        user: the user's name.
        expires: expiry of the token, in seconds since 1970.
        token_id: id of the token (`jti`); empty for none.
        issued: time at which the token was issued (`iat`), in seconds since 1970; None if it does
            not say.
    """

    user: str
    expires: float
    token_id: str = ""
    issued: float | None = None


class _Claims(msgspec.Struct, frozen=True):
    user: UserId
    exp: float
    jti: str = ""
    iat: float | None = None

    def __post_init__(self) -> None:
        check_text(str(self.user))


class Tokens:
    """Verifies tokens."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._keys = keys
        self._leeway = settings.jwt_leeway
        self._audience = settings.jwt_audience or None
        self._issuer = settings.jwt_issuer or None
        self._user_claim = settings.jwt_user_claim
        self._required = ["exp", self._user_claim]
        self._longest = math.inf
        if settings.jwt_max_hours is not None:
            self._longest = settings.jwt_max_hours * 3600
            self._required.append("iat")  # how long a token lasts can be told by it alone

    async def verify(self, token: str) -> Bearer:
        """Verify a token and return its bearer.

        Raises:
            LoginError: the token is refused.
            ChatError: `overloaded` where the keys cannot be fetched now.
        """
        try:
            if len(token) > MAX_TOKEN_CHARACTERS:
                raise jwt.DecodeError
            # The header is not verified. It only chooses among keys, and each key has its own
            # algorithm, so a forged header cannot weaken the check.
            key = await self._keys.key(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise jwt.InvalidKeyError
            decoded = self._decode(token, key.key, key.algorithm)
            claims = read_leniently({**decoded, "user": decoded[self._user_claim]}, _Claims)
            if claims.exp - (claims.iat or 0.0) > self._longest:
                raise _LastsTooLong
        except VERIFICATION_ERRORS as error:
            raise LoginError(
                REFUSALS.get(type(error), "token_invalid"),
                REFUSAL_MESSAGES.get(type(error), "the token is not valid"),
            ) from None
        expires = min(claims.exp, MAX_EXPIRY_UNIX_SECONDS)
        return Bearer(str(claims.user), expires, claims.jti, claims.iat)

    def _decode(self, token: str, key: Any, algorithm: str) -> dict[str, Any]:  # noqa: ANN401 - each algorithm has its own kind of key
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._audience,
            issuer=self._issuer,
            leeway=self._leeway,
            # `sub` may be an integer here, and need not be the user.
            options={
                "require": self._required,
                "verify_aud": self._audience is not None,
                "verify_sub": False,
            },
        )
        return claims
