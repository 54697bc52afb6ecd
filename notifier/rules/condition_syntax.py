"""Errors in a condition's text, told to people who do not program. Called by ``conditions``, which refuses
it.
"""

import re

from ..exceptions import ConditionRefused

MAX_LENGTH = 1000
MAX_WORDS = 100  # a condition is evaluated recursively

MARKS = re.compile(r"\{%|%\}|\{\{|\}\}|\{#|#\}")
WORDS = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)+""")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# What people write who know it from elsewhere → what to write here.
ELSEWHERE = {
    "=": "==", "===": "==", "<>": "!=", "=>": ">=", "=<": "<=", "&&": "and", "&": "and", "||": "or",
    "|": "or", "!": "not", "AND": "and", "OR": "or", "NOT": "not", "IN": "in", "true": "True",
    "false": "False", "null": "None", "none": "None",
}  # fmt: skip

REMAINDER = "Could not parse the remainder: '"
# What Django 6.1 says of a sign that a number may have.
SIGN = re.compile(r"Invalid character \('(.)'\) in variable name: '(.*)'", re.S)
PATTERNS = [
    # Django's sentence → ours
    (r"Unexpected end of expression.*", "The condition ends too early: something is missing after “{last}”."),
    (
        r"Not expecting '(.*)' (in this position|as infix operator).*",
        "“{0}” cannot stand where it stands: a value is missing.",
    ),
    (
        r"Unused '(.*)' at end.*",
        "Before “{0}” there is no “and”, “or” or comparison that joins it to the rest.",
    ),
    (r"Could not (?:parse some characters|find variable).*", "“{condition}” cannot be read."),
]


def refuse_source(source):
    """Raise ConditionRefused for what no condition may hold, whatever its words."""
    if len(source) > MAX_LENGTH:
        raise ConditionRefused(f"The condition is longer than {MAX_LENGTH:,} characters.")
    if found := MARKS.search(source):
        raise ConditionRefused(
            f"“{found[0]}” has no place here. Write only what would stand between {{% if and %}}."
        )
    if CONTROL.search(source):
        raise ConditionRefused("Write the condition on one line.")
    words = WORDS.findall(source)
    if len(words) > MAX_WORDS:
        raise ConditionRefused(f"A condition holds at most {MAX_WORDS} words.")
    for word in words:
        if word in ELSEWHERE:
            raise ConditionRefused(f"“{word}” is not understood here: write {ELSEWHERE[word]} instead.")


def explain_syntax(message, source):
    """Django's message about ``source`` in the words of this page."""
    if not message:
        return "A quotation mark is missing."
    if message.startswith(REMAINDER):
        remainder, _from, word = message[len(REMAINDER) : -1].rpartition("' from '")
        return _explain_word(remainder, word)
    if found := SIGN.fullmatch(message):
        return _explain_word(*found.groups())
    for pattern, text in PATTERNS:
        if found := re.fullmatch(pattern, message, re.S):
            return text.format(
                *found.groups(), last=source.split()[-1] if source.split() else "", condition=source[:80]
            )
    # A name in a template stands in braces.
    return re.sub(r"\{\{ ((?:(?!\{\{ ).)*?) \}\}", r"“\1”", message)


def _explain_word(remainder, word):
    shown = word[:80]
    if "(" in word or ")" in word:
        return (
            f"“{shown}”: there are no brackets here, and nothing is called. “and” binds more "
            "tightly than “or”."
        )
    if '"' in remainder or "'" in remainder:
        return f"“{shown}”: a quotation mark is missing, or there is one too many."
    if sign := re.search(r"[=<>!]+", remainder):
        return f"“{shown}”: leave a space before and after {sign[0]}."
    if re.search(r"[-+*/%]", remainder):
        return f"“{shown}”: nothing is calculated here. Add by a filter, as in instance.total|add:10."
    return f"“{shown}” is not understood, from “{remainder[:40]}” on."
