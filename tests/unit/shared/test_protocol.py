"""The constants of the protocol are whole and go together."""

from typing import get_args

import pytest

from shared.errors import ChatError
from shared.protocol.closes import CLOSES, CloseCode
from shared.protocol.errors import ERRORS, Code


def test_every_error_code_has_its_rule() -> None:
    """Each error code says what it means and what to do, and there are no others."""
    assert set(get_args(Code)) == set(ERRORS)
    assert all(rule.meaning and rule.action for rule in ERRORS.values())


def test_every_close_code_has_its_rule() -> None:
    """Each close code says what it means and what to do, and there are no others."""
    assert set(CloseCode) == set(CLOSES)
    assert all(rule.meaning and rule.action for rule in CLOSES.values())


@pytest.mark.parametrize("code", get_args(Code))
def test_an_error_says_whether_it_is_retryable(code: Code) -> None:
    """What a client reads as `retryable` is what the table says of the code."""
    assert ChatError(code, "sorry").payload()["retryable"] is ERRORS[code].retryable
