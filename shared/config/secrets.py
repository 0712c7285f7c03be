"""Secrets in settings, and their checks: what is wrong is said without showing them."""

from typing import Final, Self

from shared.config.errors import ConfigError

MIN_SECRET_CHARACTERS: Final = 32
"""Characters of an operator's secret, at least: nobody can try them all."""

MIN_KEY_BYTES: Final = 32
"""Shortest key; shorter ones can be guessed (RFC 7518, section 3.2)."""


def check_operator_secret(secret: str) -> None:
    """Check that a header can carry the operator's secret, and that nobody guesses it.

    Args:
        secret: `OPERATOR_SECRET`; empty where there is none.

    Raises:
        ConfigError: it is too short, or has a character that no header can carry.
    """
    if not secret:
        return
    if not secret.isascii() or " " in secret or not secret.isprintable():
        raise ConfigError("OPERATOR_SECRET has a character other than ASCII letters and signs")
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise ConfigError(
            f"OPERATOR_SECRET has {len(secret)} characters, and needs at least"
            f" {MIN_SECRET_CHARACTERS}: make one with `openssl rand -hex 32`"
        )


class SecretKeys(str):
    """Keys separated by commas; the first signs, all are accepted."""

    __slots__ = ()

    @property
    def keys(self) -> list[str]:
        """Each key, in order."""
        return [key.strip() for key in self.split(",") if key.strip()]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a list of keys.

        Raises:
            ConfigError: a key is too short. The text does not show it.
        """
        found = cls(text)
        for number, key in enumerate(found.keys, 1):
            if len(key.encode()) < MIN_KEY_BYTES:
                which = "" if len(found.keys) == 1 else f": key {number} of {len(found.keys)}"
                raise ConfigError(
                    f"SECRET_KEYS has a key of less than {MIN_KEY_BYTES} bytes{which}; take random"
                    ' ones, as of `python3 -c "import secrets; print(secrets.token_urlsafe(32))"`'
                )
        return found
