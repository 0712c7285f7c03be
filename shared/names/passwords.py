"""The form in which a room's password is hashed: OpaqueString of PRECIS (RFC 8265)."""

from typing import Final

from shared.names.tables import describe, precis_profile, unicode_tables

_PROFILE: Final = precis_profile("OpaqueString")


def opaque(password: str) -> str:
    """The password as it is hashed: the same for all ways to write the same characters.

    An `e` with an accent is one character or two, depending on the keyboard, and a space may be a
    no-break space.

    Raises:
        ValueError: it has characters that a password cannot have.
    """
    if not password or (password.isascii() and password.isprintable()):
        return password
    try:
        return _PROFILE.enforce(password)
    except UnicodeEncodeError as error:
        char = error.object[error.start]
        raise ValueError(f"a password cannot have {describe(char)} here") from None


def forms(password: str) -> list[str]:
    """The forms that a stored hash may have been made of, the present one first.

    Older builds hashed what they were sent. On a Mac that may be with accents taken apart.
    """
    try:
        text = opaque(password)
    except ValueError:
        return [password]
    apart = unicode_tables.normalize("NFD", text)
    return list(dict.fromkeys((text, password, apart)))
