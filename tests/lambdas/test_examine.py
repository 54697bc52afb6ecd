"""What each channel says of a message before it is sent: every channel keeps the contract, and each has its
own table.
"""

import pytest
from hypothesis import example, given, settings, strategies as st

from lambdas import email, sms, twitter
from notifier.channels.message import Examination, Message
from notifier.channels.registry import channel_names, examine, price
from notifier.templating.compiler import MAX_OUTPUT_BYTES
from tests.support.effort import at_most

pytestmark = pytest.mark.one_database

CHANNELS = channel_names()
ANY_TEXT = st.text(st.characters(codec=None), max_size=400)  # surrogates and control characters too
ALLOWED_SECONDS = 3


def message(**parts):
    return Message(delivery=0, attempt=1, **({"address": "", "text": ""} | parts))


def texts_of(found):
    return [(problem.part, problem.text, problem.is_error) for problem in found.problems]


# What every channel keeps


@pytest.mark.parametrize("channel", CHANNELS)
@settings(max_examples=60, deadline=None)
@given(subject=ANY_TEXT, text=ANY_TEXT, html=ANY_TEXT, address=ANY_TEXT)
@example(subject="", text="\ud800", html="", address="")  # half of a surrogate pair
def test_no_text_makes_an_examination_fail(channel, subject, text, html, address):
    found = examine(channel, message(subject=subject, text=text, html=html, address=address))
    assert isinstance(found, Examination)
    assert found.cost_micros >= 0  # some cost nothing
    assert found.length >= 0
    assert {problem.part for problem in found.problems} <= {"subject", "text", "html"}
    assert all(problem.text for problem in found.problems)
    if found.pieces:
        assert "".join(found.pieces) == text
    assert (
        price(channel, message(subject=subject, text=text, html=html, address=address)) == found.cost_micros
    )


HOSTILE = [
    "x" * MAX_OUTPUT_BYTES,
    "<" * MAX_OUTPUT_BYTES,
    "<b>" * (MAX_OUTPUT_BYTES // 3),
    "<a href='" * (MAX_OUTPUT_BYTES // 9),
    "<!--" * (MAX_OUTPUT_BYTES // 4),
    "<table><tr><td>" * (MAX_OUTPUT_BYTES // 15),
    "a." * (MAX_OUTPUT_BYTES // 2),
    "a." * 200,  # the search for links takes time by the square of this
    "😀" * (MAX_OUTPUT_BYTES // 4),
    "http://a.de/ " * (MAX_OUTPUT_BYTES // 13),
    "&" * MAX_OUTPUT_BYTES,
]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_the_longest_that_a_template_can_make_is_examined_in_time(channel, text):
    examine(channel, message())  # the import is another matter
    with at_most(ALLOWED_SECONDS):
        examine(channel, message(subject=text, text=text, html=text))


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_sent_is_priced_without_looking_at_all_of_it(channel):
    """It stands between the provider's answer and its being stored, once a message."""
    mail = message(
        text="Hello, and goodbye. " * 3, html="<p>Hello <a href='https://example.com'>you</a></p>" * 500
    )
    price(channel, mail)
    with at_most(seconds=0.1):
        for _ in range(100):
            price(channel, mail)


# SMS

PIECES = [
    # text, lengths of its pieces, length, limit, unit
    ("", [0], 0, 160, "GSM-7 characters"),
    ("x" * 160, [160], 160, 160, "GSM-7 characters"),
    ("x" * 161, [153, 8], 161, 306, "GSM-7 characters"),
    ("x" * 460, [153, 153, 153, 1], 460, 612, "GSM-7 characters"),
    ("€" * 80, [80], 160, 160, "GSM-7 characters"),
    ("x" * 152 + "€" * 10, [152, 10], 172, 306, "GSM-7 characters"),  # an escape pair is not cut
    ("…" * 70, [70], 70, 70, "UCS-2 characters"),
    ("…" * 71, [67, 4], 71, 134, "UCS-2 characters"),
    ("…" + "x" * 65 + "😀" * 3, [66, 3], 72, 134, "UCS-2 characters"),  # nor a surrogate pair
]


@pytest.mark.parametrize(("text", "lengths", "length", "limit", "unit"), PIECES)
def test_an_sms_is_shown_in_the_parts_that_it_travels_in(text, lengths, length, limit, unit):
    found = sms.examine(message(text=text))
    assert [len(piece) for piece in found.pieces] == lengths
    assert (found.length, found.limit, found.unit, found.look) == (length, limit, unit, "phone")
    assert "".join(found.pieces) == text


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab€[é…😀\n"), max_size=700))
def test_the_pieces_of_an_sms_are_its_text_and_each_fits(text):
    found = sms.examine(message(text=text))
    width = (
        (lambda each: 1 + (each in sms.GSM_EXTENDED))
        if "GSM" in found.unit
        else (lambda each: 1 + (ord(each) > 0xFFFF))
    )
    single, per_part = sms.ROOM[found.unit.split()[0]]
    assert "".join(found.pieces) == text
    assert len(found.pieces) == sms.count_parts(text).parts
    assert all(
        sum(map(width, piece)) <= (single if len(found.pieces) == 1 else per_part) for piece in found.pieces
    )


SMS_PROBLEMS = [
    # text, what is said of it
    ("Hello", []),
    (" ", [("The text is empty: it would not be sent.", True)]),
    (
        "x" * 1601,
        [
            ("1601 characters: Amazon SNS takes 1600.", True),
            ("It takes 11 parts and costs as much as 11 SMS.", False),
        ],
    ),
    ("Wait…", [("Because of … an SMS holds 70 characters instead of 160: phones write it in UCS-2.", False)]),
    (
        "’“”–—…",
        [
            (
                "Because of ’ “ ” – — and 1 more an SMS holds 70 characters instead of 160: "
                "phones write it in UCS-2.",
                False,
            )
        ],
    ),
    (
        "\u200b",
        [("Because of U+200B an SMS holds 70 characters instead of 160: phones write it in UCS-2.", False)],
    ),
]


@pytest.mark.parametrize(("text", "said"), SMS_PROBLEMS)
def test_what_makes_an_sms_dearer_or_refused_is_said(text, said):
    assert texts_of(sms.examine(message(text=text))) == [("text", *each) for each in said]


SMS_COSTS = [
    # number, parts, millionths of a dollar
    ("+12025550123", 1, 5_810),
    ("+12025550123", 2, 11_620),
    ("+447400123401", 1, 40_000),  # a country without a price of its own here
    ("nonsense", 1, 40_000),
    ("", 3, 120_000),
]


@pytest.mark.parametrize(("number", "parts", "micros"), SMS_COSTS)
def test_an_sms_costs_its_parts_at_the_price_of_the_numbers_country(number, parts, micros):
    assert sms.examine(message(text="x" * 150 * parts, address=number)).cost_micros == micros


# A post

POSTS = [
    # text, its length as X counts, millionths of a dollar, what is said of it
    ("Hello", 5, 15_000, []),
    ("日本語", 6, 15_000, []),
    ("New: https://shop.example.com/a/very/long/address", 28, 200_000, ["$0.200"]),
    ("New: example.com", 28, 200_000, ["$0.200"]),  # X makes a link of this too
    ("3.5 of 4", 8, 15_000, []),
    ("", 0, 15_000, ["empty"]),
    ("x" * 281, 281, 15_000, ["281 characters as X counts them: it takes 280."]),
    ("x\ufffe", 2, 15_000, ["does not take"]),
]


@pytest.mark.parametrize(("text", "length", "micros", "said"), POSTS)
def test_a_post_is_counted_as_x_counts_it_and_a_link_is_named_with_its_price(text, length, micros, said):
    found = twitter.examine(message(text=text))
    assert (found.cost_micros, found.limit, found.look, found.is_public) == (micros, 280, "post", True)
    assert len(found.problems) == len(said)
    assert all(words in problem.text for words, problem in zip(said, found.problems, strict=True))
    if "\ufffe" not in text:
        assert found.length == length


# A mail

LINK = '<a href="https://shop.example.com/unsubscribe">Unsubscribe</a>'
MAILS = [
    # subject, text, HTML, the parts and words of what is said
    ("Hi", "Hello", "", []),
    ("Hi", "Hello", f"<p>Hello</p>{LINK}", []),
    ("", "Hello", "", [("subject", "(no subject)")]),
    ("Hi", "", "", [("text", "empty")]),
    ("Hi", "", f"<img alt='' src='https://a.example/x.png'>{LINK}", [("text", "no words")]),
    ("Hi", "Hello", "<p>Hello</p>", [("html", "unsubscribe")]),
    ("Hi", "Hello", '<a href="https://a.example/x">Newsletter abbestellen</a>', []),
    (
        "Hi",
        "Hello",
        f'<img src="https://a.example/x.png">{LINK}',
        [("html", "The image https://a.example/x.png has no alt")],
    ),
    ("Hi", "Hello", f"<img src=a><img src=b>{LINK}", [("html", "2 images have no alt")]),
    # Empty: an ornament, on purpose
    ("Hi", "Hello", f'<img alt="" src="https://a.example/x.png">{LINK}', []),
    (
        "Hi",
        "Hello",
        f'<a href="http://a.example/x">See</a>{LINK}',
        [("html", "http://a.example/x is not encrypted")],
    ),
    ("Hi", "Hello", f"<p>http://a.example</p>{LINK}", []),  # words, not a link
    ("Hi", "Hello", f"<script>1</script><form></form>{LINK}", [("html", "take out <form>, <script>")]),
    ("Hi", "Hello", "x" * 110_000 + LINK, [("html", "107 KB of HTML: Gmail cuts a mail off after 102 KB.")]),
    ("Hi", "Hello", "<!-- nothing -->", []),
]


@pytest.mark.parametrize(("subject", "text", "html", "said"), MAILS)
def test_what_clients_and_readers_will_make_of_a_mail_is_said_at_its_part(subject, text, html, said):
    found = email.examine(message(subject=subject, text=text, html=html))
    assert [problem.part for problem in found.problems] == [part for part, _ in said]
    assert all(words in problem.text for (_, words), problem in zip(said, found.problems, strict=True))
    assert not any(problem.is_error for problem in found.problems)
    assert (found.look, found.cost_micros) == ("mail", 100)
