"""The rules of names: what is taken, what is the same, what is refused."""

import time
import unicodedata

import pytest
from emoji import EMOJI_DATA
from hypothesis import example, given
from hypothesis import strategies as st

from shared.names import compared, enforced, is_sole_spelling
from shared.names.tables import unicode_tables

ZWJ, ZWNJ = "\u200d", "\u200c"

KEPT = {
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a family inside a name": "The \U0001f468\u200d\U0001f469\u200d\U0001f467 Smiths",
    "a keycap": "1\ufe0f\u20e3",
    "a heart with a selector": "\u2764\ufe0f",
    "a star with a selector that changes nothing": "\u2b50\ufe0f",
    "a flag": "\U0001f1eb\U0001f1f7",
    "a flag of tags": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "a rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "a skin tone": "\U0001f44d\U0001f3fd",
    "an emoji of Unicode 16": "\U0001fae9",
    "a letter of Unicode 16": "\U00010d50\U00010d51",
    "an ideograph of Unicode 15.1": "\U0002ebf0",
    "Persian with a non-joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Sinhala with a joiner": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Malayalam with a joiner at the end": "\u0d05\u0d35\u0d28\u0d4d\u200d",
    "Devanagari with a non-joiner": "\u0928\u094d\u200c\u0928",
    "Hindi": "\u092e\u0941\u091d\u0947",
    "Bengali": "\u09ad\u09be\u09b2\u09cb",
    "Arabic": "\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "Arabic made longer": "\u0645\u062d\u0640\u0645\u062f",
    "Hebrew": "\u05e2\u05d1\u05e8\u05d9\u05ea",
    "Thai": "\u0e19\u0e49\u0e33",
    "Khmer": "\u179f\u17bd\u179f\u17d2\u178f\u17b8",
    "Burmese": "\u1019\u103c\u1014\u103a\u1019\u102c",
    "Korean": "\ud55c\uae00",
    "Korean letters": "\u314b\u314b\u314b",
    "Chinese with a dot": "\u5361\u5c14\u00b7\u9a6c\u514b\u601d",
    "Japanese with a variation": "\u845b\U000e0100\u57ce",
    "an accent for an apostrophe": "O\u00b4Brien",
    "the longest": "\u5361" * 128,
}

MAPPED = {
    "blanks at the ends": ("  General ", "General"),
    "ideographic spaces": ("\u3000\u845b\u57ce\u3000\u30df\u30b5\u30c8\u3000", "葛城 ミサト"),
    "no-break spaces": ("\u00a0Ann\u00a0Lee\u202f", "Ann Lee"),
    "runs of spaces": ("a   b", "a b"),
    "a blank of Braille": ("\u2800Ann\u2800Lee\u2800", "Ann Lee"),
    "accents apart": ("Zoe\u0308", "Zo\u00eb"),
    "Korean apart": ("\u1112\u1161\u11ab\u1100\u1173\u11af", "\ud55c\uae00"),
    "full width": ("\uff26\uff35\uff2c\uff2c", "FULL"),
    "a joiner that joins nothing": (f"an{ZWJ}n{ZWNJ}", "ann"),
    "a non-joiner after a letter that does not join": (
        "\u06af\u0641\u062a\u200c\u0648\u200c\u06af\u0648",
        "\u06af\u0641\u062a\u200c\u0648\u06af\u0648",
    ),
    "more than one non-joiner": (f"\u06cc{ZWNJ}{ZWNJ}\u062e", f"\u06cc{ZWNJ}\u062e"),
    "a joiner between emoji that make no sequence": ("\U0001f600\u200d\U0001f600", "😀😀"),
}

SAME = {
    "capitals": ("General", "gENERAL"),
    "capitals with accents": ("ÉCOLE", "école"),
    "a capital sigma": ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),
    "capitals of Unicode 16": ("\U00010d50", "\U00010d70"),
    "capitals of Unicode 18": ("\U0001df40", "\U0001df41"),
    "accents apart": ("Zoe\u0308", "zo\u00eb"),
    "full width": ("\uff26\uff35\uff2c\uff2c", "full"),
    "blanks": (" Ann\u3000Lee", "ann lee"),
    "a selector": ("\u2764\ufe0f", "\u2764"),
    "a selector of text": ("\u260e\ufe0e", "\u260e\ufe0f"),
    "a selector on a sign that is letters otherwise": ("\u24c2\ufe0f", "m"),
    "a selector in a sequence": (
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f3f3\u200d\U0001f308",
    ),
    "a variation of an ideograph": ("\u845b\U000e0100", "\u845b"),
    "Arabic made longer": ("\u0645\u062d\u0640\u0645\u062f", "\u0645\u062d\u0645\u062f"),
    "Thai taken apart": ("\u0e19\u0e49\u0e33", "\u0e19\u0e49\u0e4d\u0e32"),
    "a joiner that joins nothing": ("ann", f"ann{ZWNJ}"),
}

REFUSED = {
    "nothing": "",
    "spaces": "  \u3000\u00a0",
    "a blank of Braille": "\u2800\u2800",
    "blank hieroglyphs": "\U00013441",
    "a Hangul filler": "\u3164",
    "a filler at the end": "ann\u3164",
    "a leading filler": "\u115fann",
    "a vowel filler": "\u1160",
    "a half-width filler": "\uffa0",
    "joiners": ZWJ + ZWNJ,
    "a soft hyphen": "an\u00adn",
    "a zero width space": "ann\u200b",
    "a byte order mark": "\ufeffann",
    "a word joiner": "an\u2060n",
    "a grapheme joiner": "an\u034fn",
    "a mark of direction": "ann\u200e",
    "an Arabic mark of direction": "ann\u061c",
    "an override of direction": "\u202eann",
    "an isolate": "\u2066ann\u2069",
    "a selector after a letter": "ann\ufe0f",
    "a selector of ideographs after a letter": "ann\U000e0100",
    "tags": "ann\U000e0061\U000e006e",
    "a tag flag without its base": "\U000e0067\U000e007f",
    "a musical sign that is not drawn": "ann\U0001d159",
    "a Khitan filler": "\U00016fe4",
    "a placeholder": "ann\ufffc",
    "marks alone": "\u0301\u0308",
    "tatweel alone": "\u0640 \u0640",
    "a line end": "ann\nlee",
    "a line end at the end": "ann\n",
    "a tab": "ann\tlee",
    "a paragraph separator": "ann\u2029lee",
    "NUL": "ann\x00",
    "a control character": "ann\x85",
    "private use": "\ue000",
    "no character": "\ufffe",
    "unassigned": "\U0003fff0",
    "half of a pair": "a\ud83d",
    "too long": "x" * 129,
    "too long once it is written out": "\ufdfa" * 8,
}


@pytest.mark.parametrize("name", KEPT.values(), ids=KEPT)
def test_a_real_name_is_kept_as_it_is(name: str) -> None:
    """A name that people have, in any script, is stored as it was typed."""
    assert enforced(name) == name
    assert compared(name)


def test_every_emoji_can_stand_in_a_name() -> None:
    """Each emoji of Unicode is a name, and is the same with and without its selectors."""
    for sequence in EMOJI_DATA:
        bare = sequence.replace("\ufe0f", "")
        assert compared(f"a {sequence}") == compared(f"A  {bare} ")


@pytest.mark.parametrize(("typed", "stored"), MAPPED.values(), ids=MAPPED)
def test_what_makes_no_difference_is_put_right(typed: str, stored: str) -> None:
    """Blanks, widths, and characters in parts are stored in one form."""
    assert enforced(typed) == stored


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_spellings_of_a_name_compare_the_same(one: str, other: str) -> None:
    """Names that differ in case, or in what cannot be seen, are one name."""
    assert compared(one) == compared(other)


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_seen_is_refused(name: str) -> None:
    """A name that cannot be seen, or holds what cannot be seen or stored, is refused."""
    with pytest.raises(ValueError, match="name"):
        enforced(name)


def test_a_refusal_names_the_character() -> None:
    """The sentence of a refusal says which character it is about."""
    with pytest.raises(ValueError, match=r"^a name cannot have U\+200B \(ZERO WIDTH SPACE\) here$"):
        enforced("ann\u200b")


def test_different_names_stay_different() -> None:
    """Names that look different are not the same, although some joiners are all the difference."""
    persian, sinhala = (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0dc1\u0dca\u200d\u0dbb",
    )
    names = ["ann", "anna", "a nn", persian, persian.replace(ZWNJ, ""), sinhala]
    names += [sinhala.replace(ZWJ, ""), "\U0001f44d\U0001f3fd", "\U0001f44d", "ä", "a"]
    assert len(set(map(compared, names))) == len(names)


@given(st.text(max_size=40))
@example("\u0640")
@example("\u00b4")
@example("\u0130")
@example("\u1e9e")
def test_forms_are_forms_of_themselves(name: str) -> None:
    """What is stored is stored as it is, and compares as the typed name; so does its form."""
    try:
        stored = enforced(name)
    except ValueError:
        return
    assert enforced(stored) == stored
    form = compared(stored)
    assert compared(name) == compared(form) == form
    assert form.strip()


def test_a_sole_spelling_is_the_only_name_of_its_form() -> None:
    """A number has one spelling; a word may have others."""
    assert is_sole_spelling("1234")
    assert not any(map(is_sole_spelling, ("ann", " 12", "\uff11", "Ann", "", "1" * 129)))


def test_capitals_do_not_depend_on_the_interpreter() -> None:
    """Each capital that the interpreter's tables lack is lowered all the same."""
    newer = [
        char
        for char in map(chr, range(0x80, 0x20000))
        if unicode_tables.category(char) == "Lu" and unicodedata.category(char) == "Cn"
    ]
    assert [char for char in newer if compared(char) == char] == []


def test_a_name_that_expands_costs_little() -> None:
    """A name whose characters stand for many others is refused without work for each of those."""
    names = ["\ufdfa" * 250 + str(number) for number in range(100)]
    began = time.process_time()
    for name in names:
        with pytest.raises(ValueError, match="at most 128 characters"):
            enforced(name)
    assert time.process_time() - began < 0.4
