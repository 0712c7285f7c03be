"""The tables of Unicode: the same release of them for every process, whatever its interpreter."""

from typing import TYPE_CHECKING, Any, cast

from precis_i18n import get_profile

if TYPE_CHECKING:  # the same functions, and a module that has types
    import unicodedata as unicode_tables
else:
    import unicodedata2 as unicode_tables

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

__all__ = ["describe", "precis_profile", "unicode_tables"]


def precis_profile(name: str) -> "Profile":
    """The profile of PRECIS of this name, with these tables."""
    return get_profile(name, unicodedata=cast("Any", unicode_tables))


def describe(char: str) -> str:
    """The number of a character and its name, for a sentence that refuses it."""
    name = unicode_tables.name(char, "")
    return f"U+{ord(char):04X}" + (f" ({name})" if name else "")
