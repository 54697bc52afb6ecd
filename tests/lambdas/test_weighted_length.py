"""A post's length, by X's published rules: a table of our own, and what it costs to count."""

import pytest

from lambdas._weighted_length import has_link, weighted_length
from lambdas._x_links import links
from tests.support import x_data
from tests.support.effort import takes_at_most

FAMILY, FIREFIGHTER = "👨‍👩‍👧‍👦", "👩🏽‍🚒"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

LENGTHS = [
    # a text, and what X counts for it
    ("", 0),
    ("Linen", 5),
    ("Straße – “Größe”", 16),  # all of it narrow, dashes and quotation marks too
    ("…", 2),
    ("日本語", 6),
    ("한국어", 6),
    ("ภาษาไทย", 7),  # narrow
    ("€", 2),
    ("‼", 2),
    # One character, however it is written
    ("é", 1),
    ("e\u0301", 1),
    ("가", 2),
    ("\u1100\u1161", 2),  # the same in parts
    ("a\r\nb", 3),
    ("a\u200db", 3),  # a joiner that joins nothing
    # Emoji
    ("🎉", 2),
    (FAMILY, 2),
    (FIREFIGHTER, 2),
    ("👍🏿", 2),
    ("🎉🏿", 4),  # which has no skin
    ("🐶‍🚒", 5),  # nobody draws that as one
    ("🏳️‍🌈", 2),
    ("🏳‍🌈", 2),  # without its variation selector
    ("🇫🇮", 2),
    ("🇫🇮🇸🇪", 4),
    ("🇫🇮🇸", 4),  # half a flag
    ("🇦🇦", 4),  # no country's
    (ENGLAND, 2),
    ("1️⃣", 2),
    ("#⃣", 2),
    ("1", 1),
    ("☀", 2),
    ("☀️", 2),
    ("☀\ufe0e", 4),  # as text, with what says so
    ("©", 1),
    ("©️", 2),
    ("™", 2),
    # Newer than 2019
    ("🥲", 2),  # 2020
    ("🫠🫰🏽", 4),  # 2021
    ("🐦‍⬛", 2),  # 2022
    ("🙂‍↔️", 2),  # 2023
    ("🫩🪾", 4),  # 2024
    ("\U0001faea", 2),  # 2025
    # Links
    ("https://example.com", 23),
    ("http://a.de/" + "x" * 300, 23),
    ("HTTPS://EXAMPLE.COM/Ä", 23),
    ("example.com", 23),
    ("www.example.co.uk/sale?colour=red&size=m#top", 23),
    ("See example.com.", 28),
    ("(example.com/a_(b))", 25),
    ("“example.com”", 25),
    ("example.com, example.org!", 49),
    ("https://example.com:8080/x", 23),
    ("https://example.com/?", 24),
    ("https://example.com/a?", 24),
    ("日本example.com", 27),  # without a scheme, what is not Latin does not belong to it
    ("https://日本.jp/é", 23),
    ("example.photography shop.museum a.zip", 71),
    ("example.みんな", 23),
    ("bücher.example.com", 23),
    ("shop.xn--p1ai", 23),
    # No links
    ("example", 7),
    ("example.notatld", 15),
    ("https://example", 15),
    ("https://localhost/x", 19),
    ("ada@example.com", 15),
    ("@example.com", 12),
    ("#example.com", 12),
    ("/example.com", 12),
    ("ftp://example.com", 17),
    ("a..example.com", 14),
    ("e.g. this", 9),
    ("3.14", 4),
    ("1.com2", 6),
]


@pytest.mark.parametrize(("text", "length"), LENGTHS)
def test_x_counts_like_this(text, length):
    assert weighted_length(text) == length


def test_a_link_is_where_it_is():
    text = "New: https://example.com/a(b). Or example.org/?x=1, @example.net"
    assert [text[start:end] for start, end in links(text)] == [
        "https://example.com/a(b)",
        "example.org/?x=1",
    ]
    assert has_link(text)
    assert not has_link("New: @example.net")


HARD = [
    "a.",
    "a",
    "http://",
    "http://a.com/(",
    "a.com ",
    "日.",
    "👩",
    "1",
    "-",
    "a.com?",
    "e\u0301",
    "(",
    "xn--",
]


@pytest.mark.parametrize("part", HARD)
def test_a_long_text_takes_no_longer_than_its_length(part):
    assert takes_at_most(lambda: weighted_length.__wrapped__(part * (100_000 // len(part))), seconds=2)


def test_the_lists_are_renewed_from_those_who_keep_them():
    test = """# emoji-test.txt
1F3FB                         ; component           # 🏻 E1.0 light skin tone
00A9 FE0F                     ; fully-qualified     # ©️ E0.6 copyright
00A9                          ; unqualified         # © E0.6 copyright
1F441 FE0F 200D 1F5E8         ; unqualified         # 👁️‍🗨 E1.0 eye in speech bubble
"""
    assert list(x_data.emoji(test)) == ["©️", "👁️‍🗨"]
    assert list(x_data.top_level_domains("AAA\nXN--Q9JYB4C\n")) == ["aaa", "みんな"]
    assert x_data.as_file(["b", "a", "b"]) == "a b\n"
