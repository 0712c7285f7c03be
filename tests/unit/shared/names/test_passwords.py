"""The rules of passwords: what is hashed, and what may have been hashed before."""

import pytest

from shared.names.passwords import forms, opaque


def test_one_password_has_one_form() -> None:
    """Accents in one character or two, and kinds of spaces, make no difference; case does."""
    assert opaque("cafe\u0301 1") == opaque("caf\u00e9\u00a01") == "caf\u00e9 1"
    assert opaque(" Spaces stay ") == " Spaces stay "
    assert opaque("Secret") != opaque("secret")


@pytest.mark.parametrize("password", ["a\x07b", "a\u200bb", "\U0001f468\u200d\U0001f469", "a\nb"])
def test_a_password_of_hidden_characters_is_refused(password: str) -> None:
    """What the standard refuses in a password is refused in a sentence."""
    with pytest.raises(ValueError, match=r"^a password cannot have U\+"):
        opaque(password)


def test_a_plain_password_is_tried_once() -> None:
    """A password has further forms only where older builds may have hashed another one."""
    assert forms("secret") == ["secret"]
    assert forms("cafe\u0301") == ["caf\u00e9", "cafe\u0301"]
    assert forms("a\u200bb") == ["a\u200bb"]
