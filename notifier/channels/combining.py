"""Marks that stand on one letter, never more than Unicode means to be there: to normalise a text takes the
square of how many there are. https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
"""

import unicodedata

MAX_MARKS = 30
JOINER = "\u034f"  # the combining grapheme joiner, which nobody sees


def stream_safe(text: str) -> str:
    """``text`` with a joiner after each MAX_MARKS marks in a row; nearly always the text itself."""
    if len(text) <= MAX_MARKS or text.isascii():
        return text
    pieces, begin, marks = [], 0, 0
    for place, is_mark in enumerate(map(unicodedata.combining, text)):
        marks = marks + 1 if is_mark else 0
        if marks > MAX_MARKS:
            pieces += [text[begin:place], JOINER]
            begin, marks = place, 1
    return "".join([*pieces, text[begin:]]) if pieces else text
