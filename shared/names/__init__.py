"""The rules of names and passwords: PRECIS (RFC 8264 to 8266), with emoji sequences allowed.

`rules.py` says what a name is stored as and what it compares as, `passwords.py` what a password is
hashed as. `parts.py` finds the parts of a name that the standard does not know, such as emoji. The
tables of Unicode come from `unicodedata2`, so that all processes have the same, whatever their
interpreter: keys of rooms are made of names.
"""

from shared.names.rules import compared, enforced, form_of, is_sole_spelling

__all__ = ["compared", "enforced", "form_of", "is_sole_spelling"]
