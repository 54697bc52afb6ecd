"""The start of a text that is too long, without half of a letter or of an emoji at its end.

Called by channels whose services take so much and no more.
"""

import unicodedata

JOINER = "\u200d"
SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
FLAG_LETTERS = ("\U0001f1e6", "\U0001f1ff")  # two of them make a flag
ALL_FLAG_LETTERS = "".join(map(chr, range(ord(FLAG_LETTERS[0]), ord(FLAG_LETTERS[1]) + 1)))
TAGS = ("\U000e0020", "\U000e007f")  # of the flags of England, Scotland and Wales
# A letter under more marks than this is nobody's letter, and may be cut.
MAX_JOINED = 64


def start_of(text: str, length: int) -> str:
    """The first ``length`` characters, or a few less: what joins to one before it goes with it.

    A short form of https://www.unicode.org/reports/tr29/#Grapheme_Cluster_Boundaries
    """
    length = max(0, length)
    if length >= len(text):
        return text
    end = length
    while end > 0 and length - end < MAX_JOINED and _joins(text, end):
        end -= 1
    return text[: end if end and not _joins(text, end) else length]


def _joins(text: str, place: int) -> bool:
    """Whether the character at ``place`` and the one before it are shown as one."""
    each, before = text[place], text[place - 1]
    if before == JOINER or each == JOINER or unicodedata.category(each)[0] == "M":
        return True
    if _within(each, SKIN_TONES) or _within(each, TAGS):
        return True
    return _within(each, FLAG_LETTERS) and _letters_before(text, place) % 2 == 1


def _letters_before(text: str, place: int) -> int:
    """All of them: a letter belongs to a flag by how many there are."""
    before = text[:place]
    return len(before) - len(before.rstrip(ALL_FLAG_LETTERS))


def _within(character: str, bounds: tuple[str, str]) -> bool:
    return bounds[0] <= character <= bounds[1]
