"""A text is cut off between what people see as letters."""

import pytest

from notifier.channels.cutting import start_of
from tests.support.effort import at_most

FAMILY, WALES = "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁷󠁬󠁳󠁿"

CUT = [
    # a text, how much of it there is room for, what is left
    ("abc", 5, "abc"),
    ("abc", 3, "abc"),
    ("abc", 2, "ab"),
    ("abc", 0, ""),
    ("abc", -1, ""),
    (f"a{FAMILY}b", 4, "a"),  # within a family
    (f"a{FAMILY}b", 3, "a"),  # before its joiner
    (f"a{FAMILY}b", 8, f"a{FAMILY}"),
    ("a👍🏽", 2, "a"),  # a hand and its colour
    ("a❤️", 2, "a"),  # a sign and how it is shown
    ("a1️⃣", 2, "a"),
    ("🇩🇪🇫🇷", 1, "🇩"),  # half of what is first: no room for any
    ("a🇩🇪🇫🇷", 2, "a"),
    ("a🇩🇪🇫🇷", 3, "a🇩🇪"),
    ("a🇩🇪🇫🇷", 4, "a🇩🇪"),
    ("🇩🇪" * 50 + "🇫🇷", 101, "🇩🇪" * 50),  # a long row of them
    (f"a{WALES}", 5, "a"),
    ("ne\u0301e", 2, "n"),  # an accent of its own
    ("कि", 1, "क"),
    ("می\u200cخواهم", 3, "می\u200c"),  # joins nothing: it keeps apart
    ("a" + "\u0301" * 200, 150, "a" + "\u0301" * 149),  # nobody's letter
]


@pytest.mark.parametrize(("text", "length", "left"), CUT)
def test_no_letter_and_no_emoji_is_cut_in_two(text, length, left):
    assert start_of(text, length) == left


def test_a_long_row_of_flags_takes_no_longer_than_a_short_one():
    text = "🇩🇪" * 100_000
    with at_most(0.01):
        assert start_of(text, 100_001).startswith("🇩🇪")
