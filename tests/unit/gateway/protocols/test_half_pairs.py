"""Halves of surrogate pairs in JSON are replaced, and nothing else is."""

import pytest

from gateway.protocols.half_pairs import MAX_HALF_PAIRS, replace_half_pairs

TEXTS = {
    "the first half": (r'"a\ud800b"', r'"a\ufffdb"'),
    "the second half": (r'"\uDC00"', r'"\ufffd"'),
    "both, the wrong way round": (r'"\udc00\ud800"', r'"\ufffd\ufffd"'),
    "a first half before a pair": (r'"\ud83d\ud83d\ude00"', r'"\ufffd\ud83d\ude00"'),
    "a half after pairs": (
        r'"\ud83d\ude00\ud83d\ude00\ud83d"',
        r'"\ud83d\ude00\ud83d\ude00\ufffd"',
    ),
    "a pair": (r'"\ud83d\ude00"', r'"\ud83d\ude00"'),
    "an escaped backslash": (r'"\\ud800"', r'"\\ud800"'),
    "a half behind one": (r'"\\\ud800"', r'"\\\ufffd"'),
    "a half behind what looks like one": (r'"\\ud83d\ude00"', r'"\\ud83d\ufffd"'),
    "an escape that is cut off": (r'"\ud8', r'"\ud8'),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_replaced(name: str) -> None:
    """Half a pair becomes U+FFFD; pairs, escaped backslashes and what is no JSON stay."""
    text, mended = TEXTS[name]
    assert replace_half_pairs(text) == mended


def test_no_more_than_a_text_has() -> None:
    """Of very many halves only the first ones are replaced, as no text has so many."""
    mended = replace_half_pairs(r"\ud800" * (MAX_HALF_PAIRS + 5))
    assert mended == r"\ufffd" * MAX_HALF_PAIRS + r"\ud800" * 5
