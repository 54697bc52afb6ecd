"""The differences of two texts, by lines and within them by words, as rows to show. Called by
``versions``.
"""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# Lines around a change that are shown with it.
CONTEXT_LINES = 3
# Comparing takes time by the square of what is compared; what is longer is shown as replaced whole.
MOST_LINES = 3_000
MOST_WORDS = 1_500

WORDS = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True)
class Row:
    """One line.

    ``kind`` is ``same``, ``gone``, ``new`` or ``gap``; ``pieces`` are ``(text, whether it changed)``.
    """

    kind: str
    pieces: tuple = ()
    hidden: int = 0


def compare(old, new):
    """Rows from ``old`` to ``new``; none where nothing changed."""
    if old == new:
        return []
    before, after = old.split("\n"), new.split("\n")
    if max(len(before), len(after)) > MOST_LINES:
        return [*_whole("gone", before), *_whole("new", after)]
    rows = []
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(CONTEXT_LINES):
        start = group[0][1]
        shown = rows[-1].hidden if rows and rows[-1].kind == "end" else 0
        if start > shown:
            rows.append(Row("gap", hidden=start - shown))
        for tag, i1, i2, j1, j2 in group:
            rows += (
                [Row("same", ((line, False),)) for line in before[i1:i2]]
                if tag == "equal"
                else _changed(before[i1:i2], after[j1:j2])
            )
        rows.append(Row("end", hidden=group[-1][2]))
    last = rows[-1].hidden
    rows = [row for row in rows if row.kind != "end"]
    return [*rows, Row("gap", hidden=len(before) - last)] if last < len(before) else rows


def _changed(before, after):
    if not before or not after:
        return [*_whole("gone", before), *_whole("new", after)]
    old, new = WORDS.findall("\n".join(before)), WORDS.findall("\n".join(after))
    if max(len(old), len(new)) > MOST_WORDS:
        return [*_whole("gone", before), *_whole("new", after)]
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    gone = [("".join(old[i1:i2]), tag != "equal") for tag, i1, i2, _, _ in codes if i1 < i2]
    come = [("".join(new[j1:j2]), tag != "equal") for tag, _, _, j1, j2 in codes if j1 < j2]
    return [*_lines("gone", gone), *_lines("new", come)]


def _whole(kind, lines):
    return [Row(kind, ((line, True),)) for line in lines]


def _lines(kind, pieces):
    """The pieces, which may hold line breaks, as one row a line."""
    rows = [[]]
    for text, changed in pieces:
        first, *rest = text.split("\n")
        rows[-1].append((first, changed))
        rows += [[(line, changed)] for line in rest]
    return [Row(kind, tuple(piece for piece in row if piece[0])) for row in rows]
