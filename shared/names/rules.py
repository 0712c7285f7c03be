"""The forms in which a name is stored and compared.

PRECIS (RFC 8264, 8266): the profile NicknameCasePreserved stores, Nickname compares. Where names
of people need more than the standard has, `parts.py` says what and why.
"""

import re
from functools import lru_cache
from typing import Final

from precis_i18n.context import context_rule_error
from precis_i18n.unicode import UnicodeData

from shared.names import parts
from shared.names.tables import describe, precis_profile, unicode_tables
from shared.protocol.limits import MAX_NAME_CHARACTERS

CACHED_NAMES: Final = 4096
"""Names whose forms are cached: sends and joins use the same few names again and again."""

_PROFILE: Final = precis_profile("NicknameCasePreserved")
_UNICODE: Final = UnicodeData(unicode_tables)

_TOO_LONG: Final = f"a name has at most {MAX_NAME_CHARACTERS} characters"

# Drawn as an empty space, though they are no spaces to Unicode: a blank of Braille, and of
# hieroglyphs.
_BLANKS: Final = re.compile("[\u2800\U00013441\U00013442]")

# Drawn as nothing, and allowed by PRECIS as marks and symbols.
_UNSEEN: Final = re.compile(
    f"[{parts.PLACEHOLDER}\u2d7f\U0001107f\U00016fe4\U0001d159\U0001da7f\U0001da80]"
)
_JOINERS: Final = re.compile("[\u200c\u200d]+")
_ZWNJ: Final = "\u200c"
_SIGMAS: Final = "\u03c3\u03c2\u03a3"

# Marks stand on a character before them; alone they are drawn on whatever precedes the name.
_MARKS: Final = frozenset({"Mn", "Mc", "Me"})
_INVISIBLE_ALONE: Final = f" {parts.TATWEEL}"


@lru_cache(CACHED_NAMES)
def enforced(name: str) -> str:
    """The name as it is stored and shown.

    Blanks at its ends are left out, and runs of them inside are one space.

    Raises:
        ValueError: it has characters that a name cannot have, is too long, or nothing of it can be
            seen.
    """
    if _is_plain(name):
        result = " ".join(name.split())
    else:
        taken = parts.take(_BLANKS.sub(" ", _checked(name)))
        _check_expanded(taken.text)
        result = taken.fill(_apply(_without_idle_joiners(taken.text)))
    if all(char in _INVISIBLE_ALONE or unicode_tables.category(char) in _MARKS for char in result):
        raise ValueError("a name has at least one character that can be seen")
    if len(result) > MAX_NAME_CHARACTERS:
        raise ValueError(_TOO_LONG)
    return result


@lru_cache(CACHED_NAMES)
def compared(name: str) -> str:
    """The form of a name that is the same for all spellings of it; it is its own form.

    Raises:
        ValueError: the same as `enforced`.
    """
    stored = enforced(name)
    if _is_plain(stored):
        return stored.lower()
    taken = parts.take_compared(stored)
    # Compatible forms may be capitals, and capitals may have compatible forms.
    map_ = _PROFILE.apply_five_rules
    return taken.fill(map_(_lower(map_(_lower(taken.text)))))


def form_of(name: str) -> str:
    """The form of any name, also of one that an older build took; then it is the name itself."""
    try:
        return compared(name)
    except ValueError:
        return name


def is_sole_spelling(name: str) -> bool:
    """True if no other name compares the same, as with the ids of users that are numbers."""
    is_short = 0 < len(name) <= MAX_NAME_CHARACTERS
    has_case = any(map(str.isalpha, name))
    return is_short and _is_plain(name) and not has_case and name == " ".join(name.split())


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isprintable()


def _checked(name: str) -> str:
    if found := _UNSEEN.search(name):
        raise ValueError(_refusal(found[0]))
    return name


def _check_expanded(text: str) -> None:
    """Refuse early what is too long by all that stays of it, blanks and joiners aside.

    The profile is slow, and NFKC makes up to 18 characters of one: a name of 256 would take 8 ms.

    Raises:
        ValueError: it is too long.
    """
    expanded = unicode_tables.normalize("NFKC", _JOINERS.sub("", text))
    if len(expanded) - expanded.count(" ") > MAX_NAME_CHARACTERS:
        raise ValueError(_TOO_LONG)


def _apply(text: str) -> str:
    """Apply the profile.

    Raises:
        ValueError: the profile refuses the text.
    """
    if not text.strip():
        return ""
    try:
        return _PROFILE.enforce(text)
    except UnicodeEncodeError as error:
        if error.end - error.start == 1:
            raise ValueError(_refusal(error.object[error.start])) from None
        raise ValueError("a name has at least one character that can be seen") from None


def _refusal(char: str) -> str:
    return f"a name cannot have {describe(char)} here"


def _without_idle_joiners(text: str) -> str:
    """Leave out joiners that change nothing that is seen (RFC 5892, appendix A.1 and A.2).

    Persian is full of them: between letters that do not join anyway, a non-joiner is often typed.
    """
    if not _JOINERS.search(text):
        return text
    text = _JOINERS.sub(lambda run: run[0][0], unicode_tables.normalize("NFKC", text))
    return "".join(
        char for at, char in enumerate(text) if not _JOINERS.match(char) or _is_seen(text, at)
    )


def _is_seen(text: str, at: int) -> bool:
    if context_rule_error(text, at, _UNICODE):
        return False
    # After a virama both joiners are in context. A non-joiner keeps the virama apart from what
    # follows; at the end of a word there is nothing to keep it from.
    follower = text[at + 1 : at + 2]
    return text[at] != _ZWNJ or (bool(follower) and unicode_tables.category(follower)[0] in "LM")


def _lower(text: str) -> str:
    return "".join(map(_lower_char, text))


@lru_cache(CACHED_NAMES)
def _lower_char(char: str) -> str:
    """Lower a character, alike with every interpreter.

    `str.lower` does not know capitals that are newer than the interpreter's tables. Their names
    say which small letters are theirs. A final sigma is a sigma here: which one `str.lower` makes
    depends on the letters around it, so again on the interpreter.
    """
    if char in _SIGMAS:
        return _SIGMAS[0]
    lower = char.lower()
    if lower == char and unicode_tables.category(char) in ("Lu", "Lt"):
        try:
            return unicode_tables.lookup(unicode_tables.name(char).replace("CAPITAL", "SMALL"))
        except (KeyError, ValueError):
            return char
    return lower
