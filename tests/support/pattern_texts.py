"""Texts that take a regular expression's time, made from the expression itself: what its parts match, again
and again, behind what stands before them, and before a sign that it does not want.
"""

import re._constants as signs
import re._parser as parser
from string import printable

# What people, browsers, providers and style sheets write, whatever the expression looks for.
USUAL = (
    *(" ", "\t", "\n", "\r\n", "a", "aA1", "1", ".", "-", "_", "é", "e\u0301", "\u0301", "%41", "&", "&amp;"),
    *(
        "@",
        "a@",
        "a.",
        "@a.",
        "+1",
        "1 ",
        "(0)",
        "<",
        "</",
        "<a ",
        "<style",
        "<style>",
        "<!--",
        "-->",
        '<a b="',
    ),
    *(
        'a="',
        "a=' ",
        '"',
        "'",
        "{",
        "{{",
        "{% ",
        "}",
        "\\",
        "/",
        "//",
        "http://",
        "http://a",
        "://",
        ":",
        ";",
    ),
    *(",", "=", "(", "[", "](", "*", "`", "|", "#", "display:", " href=", "url( ", " srcset='", ", /", "/* "),
)
ENDS = ("", "!", "\x00", "\n", "@")
CATEGORIES = {
    signs.CATEGORY_DIGIT: "1",
    signs.CATEGORY_NOT_DIGIT: "a ",
    signs.CATEGORY_SPACE: " \t\n",
    signs.CATEGORY_NOT_SPACE: "a1-",
    signs.CATEGORY_WORD: "a1_",
    signs.CATEGORY_NOT_WORD: " -.",
}


def texts_against(pattern):
    """Functions of a length that make such texts, by words that describe them."""
    shapes = {("", repeated, "") for repeated in USUAL} | {("", repeated, "!") for repeated in USUAL}
    tree = parser.parse(pattern.pattern, pattern.flags & ~parser.SRE_FLAG_DEBUG)
    for before, repeated in _pumps(tree, ""):
        shapes |= {(before, repeated, end) for end in ENDS} | {("", before + repeated, "")}
    return {shape: _maker(*shape) for shape in shapes if shape[1]}


def _maker(before, repeated, end):
    return lambda length: before + repeated * (length // len(repeated)) + end


def _pumps(tree, before):
    """``(what stands before, what can be there again and again)`` of each part of an expression."""
    for sign, value in tree:
        for inner in _inner(sign, value):
            if sign in (signs.MAX_REPEAT, signs.MIN_REPEAT, signs.POSSESSIVE_REPEAT):
                yield from ((before, text) for text in _examples(inner))
            yield from _pumps(inner, before)
        example = next(iter(_examples([(sign, value)])), "")
        yield before, example
        before += example


def _inner(sign, value):
    if sign in (signs.MAX_REPEAT, signs.MIN_REPEAT, signs.POSSESSIVE_REPEAT):
        return [value[2]]
    if sign is signs.SUBPATTERN:
        return [value[3]]
    if sign is signs.BRANCH:
        return value[1]
    if sign in (signs.ASSERT, signs.ASSERT_NOT):
        return [value[1]]
    return [value] if sign is signs.ATOMIC_GROUP else []


def _examples(tree, most=12):
    """Some texts that a part matches, taken for itself: each choice once."""
    found = [""]
    for sign, value in tree:
        if sign is signs.LITERAL:
            each = [chr(value)]
        elif sign in (signs.NOT_LITERAL, signs.ANY, signs.IN):
            each = _signs_of(sign, value)
        elif sign in (signs.ASSERT, signs.ASSERT_NOT, signs.AT, signs.GROUPREF):
            each = [""]
        elif sign in (signs.MAX_REPEAT, signs.MIN_REPEAT, signs.POSSESSIVE_REPEAT):
            each = [text * max(1, min(value[0], 50)) for text in _examples(value[2])]
        else:
            each = [text for inner in _inner(sign, value) for text in _examples(inner)]
        each = each or [""]
        found = [found[n % len(found)] + each[n % len(each)] for n in range(max(len(found), len(each)))][
            :most
        ]
    return list(dict.fromkeys(found))


def _signs_of(sign, value):
    """Signs of a class: of each of its parts one, and of one that says what it is not, several."""
    if sign is signs.ANY:
        return ["a", " "]
    members = [(signs.LITERAL, value)] if sign is signs.NOT_LITERAL else value
    chosen = "".join(_signs_in(*member) for member in members)
    if sign is signs.NOT_LITERAL or members[0][0] is signs.NEGATE:
        return [each for each in dict.fromkeys("a 1<.é-@/" + printable) if not _is_in(each, members)][:8]
    return list(dict.fromkeys(chosen))


def _signs_in(sign, value):
    if sign is signs.LITERAL:
        return chr(value)
    if sign is signs.RANGE:
        return chr(value[0]) + chr(value[1])
    return CATEGORIES.get(value, "") if sign is signs.CATEGORY else ""


def _is_in(each, members):
    for sign, value in members:
        if sign is signs.RANGE and value[0] <= ord(each) <= value[1]:
            return True
        if each in _signs_in(sign, value):
            return True
        if sign is signs.CATEGORY and _is_of(each, value):
            return True
    return False


def _is_of(each, category):
    is_word = each.isalnum() or each == "_"
    return {
        signs.CATEGORY_DIGIT: each.isdigit(),
        signs.CATEGORY_NOT_DIGIT: not each.isdigit(),
        signs.CATEGORY_SPACE: each.isspace(),
        signs.CATEGORY_NOT_SPACE: not each.isspace(),
        signs.CATEGORY_WORD: is_word,
        signs.CATEGORY_NOT_WORD: not is_word,
    }.get(category, False)
