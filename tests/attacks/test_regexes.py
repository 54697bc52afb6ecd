"""No regular expression of the product takes clearly more than twice the time for twice the text, in the way
in which it is used. Each is found by being there: what modules hold, and what their source compiles.
"""

import re
from functools import cache

import pytest

from notifier.gates import allow_list
from notifier.local import sms_voice
from notifier.local.chat.marks import Markup
from notifier.rules import condition_syntax
from tests.support.growth import worse_than_linear
from tests.support.pattern_texts import texts_against
from tests.support.patterns import modules, product_patterns

pytestmark = pytest.mark.one_database

SHARES = 6
# Known when it is run only: the place of the call → patterns such as it makes, by their use.
MADE = {
    "notifier.feedback.reports:without_addresses:sub(re.escape(name))": lambda: [
        (re.compile(re.escape("aaab@example.com"), re.IGNORECASE), "findall")
    ],
    "notifier.gates.allow_list:_glob": lambda: [
        (allow_list._glob(glob, anything), "fullmatch")
        for glob in ("*a*a*a@example.com", "a***", "*@*.example.com", "*1*1*")
        for anything in (f"{allow_list.MAIL_CHARACTER}+", "[0-9]+", r"\S+", r"\S*")
    ],
    "notifier.gates.allow_list:_url": lambda: [
        (re.compile(r"(?i:https://(?:[a-z0-9-]+[.])+example\.com)/\S*"), "fullmatch")
    ],
    "notifier.local.chat.marks:show": lambda: [
        (re.compile(pattern, re.MULTILINE), "findall")
        for markup in _markups()
        for pattern in {*markup.formats, *markup.links, markup.calls} - {""}
    ],
    "notifier.local.sms_voice:_is_written": lambda: [
        (re.compile(found), "fullmatch") for found in sorted(sms_voice.patterns("SendTextMessage"))
    ],
    "notifier.rules.condition_syntax:explain_syntax:fullmatch(pattern)": lambda: [
        (re.compile(pattern, re.DOTALL), "fullmatch") for pattern, _text in condition_syntax.PATTERNS
    ],
    # Compiled into a dictionary, which is looked at as a value of its module.
    "notifier.templating.html_tokens:module": list,
}


def _markups():
    values = [value for module in modules() for value in vars(module).values()]
    return [each for each in values if isinstance(each, Markup)]


@cache
def everything():
    """``(place, pattern, use)`` of each, and the places of those whose patterns are not in MADE."""
    found, unknown = product_patterns()
    every = [(place, pattern, use) for place, (pattern, uses) in found.items() for use in sorted(uses)]
    every += [(place, *each) for place, make in MADE.items() for each in make()]
    return every, {place for place in unknown if not place.startswith(tuple(MADE))}


def slow(pattern, use, texts=None):
    """The first text that takes the pattern's time, and what each doubling took; None where there is none."""
    for shape, make_text in (texts or texts_against(pattern)).items():
        if times := worse_than_linear(getattr(pattern, use), make_text):
            return shape, [round(each, 4) for each in times]
    return None


@pytest.mark.parametrize("share", range(SHARES))
def test_every_pattern_is_linear(share):
    every, _unknown = everything()
    found = [
        (place, pattern.pattern, use, *worst)
        for place, pattern, use in every[share::SHARES]
        if (worst := slow(pattern, use))
    ]
    assert not found, "\n".join(map(str, found))


def test_every_pattern_is_found():
    every, unknown = everything()
    assert not unknown, "Add to MADE what these compile."
    assert len(every) > 180
    uses = {place: use for place, _pattern, use in every}
    # Of a module's name, a list's, a dictionary's, a dataclass's in a dictionary, within a function.
    assert uses["notifier.templating.plaintext.XML_DECLARATION"] == "findall"
    assert uses["lambdas._chat_rooms.PEOPLE.slack"] == "fullmatch"
    assert {"notifier.log_secrets.PATTERNS.0", "notifier.templating.html_tokens.RAW_END.style"} <= set(uses)
    assert any("SERVICES.slack" in place for place in uses)
    assert any(place.startswith("notifier.templating.plaintext:tidy_text:sub(") for place in uses)


# As they once were, or as somebody would write them.
SLOW = {
    "blanks at the ends of lines": (r"(?m)[ \t]+$", "findall"),
    "an element's start": (r"<style\b[^>]*>", "findall"),
    "a word with an @": (r"[^\s<>()]+@[^\s<>()]+", "findall"),
    "a comment": (r"(?s)/\*.*?\*/", "findall"),
    "words between commas": (r"(\w+,?)+", "fullmatch"),
    "a number with two ways": (r"\d+\d*x", "search"),
    "a path": (r"(?:/[\w.]+)*/?\.html", "search"),
    "a name and a value": (r"\s*\w*\s*=", "findall"),
    "a letter of three": (r"[^a]*a[^b]*a[^c]*x", "match"),
}


@pytest.mark.parametrize(("source", "use"), SLOW.values(), ids=SLOW)
def test_the_measure_sees_what_is_slow(source, use):
    assert slow(re.compile(source), use)


QUICK = {
    "words": (r"\w+", "findall"),
    "possessive": (r"(?<!\w)\w++@", "findall"),
    "bounded": (r"a{1,9}b", "search"),
}


@pytest.mark.parametrize(("source", "use"), QUICK.values(), ids=QUICK)
def test_the_measure_lets_what_is_quick_be(source, use):
    assert not slow(re.compile(source), use)
