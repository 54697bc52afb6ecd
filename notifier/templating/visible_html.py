"""HTML without what no reader sees, and never nested deeper than parsers take. Called by ``plaintext``.

Hidden is what `hidden`, a style or a rule of a style sheet hides. `aria-hidden` hides from screen readers
alone, and `mso-hide` from Outlook, which gets another button instead: both are seen. Elements beyond
MAX_DEPTH become breaks where they begin and end, as their text is seen all the same.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from .hiding_rules import INHERITED, Sheet, hides, shows_text
from .html_tokens import Token, tokens_of

# libxml2 drops what is deeper than 256, and Inscriptis calls itself for each level.
MAX_DEPTH = 100
# How far up an element is looked for that another one ends without a word.
MAX_LOOK_UP = 64
# Levels that a table has down to its cells: one without is no table.
ROOM_OF_TABLE = 4

VOID = frozenset(
    (
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    )
)
NEVER_SHOWN = frozenset(("template", "datalist", "script", "style", "title"))
PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "figure"))
BLOCKS = PARAGRAPHS | frozenset((
    "address", "article", "aside", "blockquote", "caption", "center", "dd", "details", "dialog", "dir", "div",
    "dl", "dt", "fieldset", "figcaption", "footer", "form", "header", "hgroup", "hr", "legend", "li", "main",
    "menu", "nav", "ol", "optgroup", "option", "pre", "search", "section", "summary", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "ul",
))  # fmt: skip
IN_TABLES = frozenset(("caption", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"))
# Elements that go on where they are too deep: they hold a line's words, and one ends with the line.
KEPT = frozenset(("a", "br", "img"))
# What the start of one ends: which, and what stops the look up.
ENDS = {
    "li": ({"li"}, {"ul", "ol", "menu"}),
    "dt": ({"dt", "dd"}, {"dl"}),
    "dd": ({"dt", "dd"}, {"dl"}),
    "td": ({"td", "th"}, {"tr", "table"}),
    "th": ({"td", "th"}, {"tr", "table"}),
    "tr": ({"tr"}, {"table"}),
    "tbody": ({"thead", "tbody", "tfoot"}, {"table"}),
    "tfoot": ({"thead", "tbody", "tfoot"}, {"table"}),
    "option": ({"option"}, {"select", "datalist"}),
    "a": ({"a"}, {"td", "th", "table"}),
}
OF_PARAGRAPH = ({"p"}, {"table", "td", "th", "caption", "button", "object", "template"})


# By what text in an element is shown, as far as each says: what is around it decides where it says nothing.
SHOWN = dict.fromkeys(INHERITED, True)


@dataclass(slots=True)
class Open:
    """An element that is open. ``is_written``: its tags are in the result."""

    name: str
    classes: frozenset[str]
    id: str
    is_hidden: bool = False
    is_written: bool = True
    shown: dict[str, bool] = field(default_factory=lambda: SHOWN)


def visible(html: str) -> str:
    """``html`` as it is seen."""
    tokens = list(tokens_of(html))
    return _Seen(_sheet_of(tokens)).write(tokens)


def may_hide(html: str, value: re.Pattern[str]) -> bool:
    """Whether it depends on a ``value`` what of ``html`` is seen: on one in a style, in an attribute's name,
    or in what a rule that hides looks at.
    """
    tokens = list(tokens_of(html))
    looked_at = ("class", "id", "style") if _sheet_of(tokens).can_hide else ("style",)
    in_sheets = any(value.search(text) for text in sheet_texts(tokens))
    return in_sheets or any(
        value.search(name) or (name in looked_at and value.search(text))
        for token in tokens
        for name, text in token.attributes.items()
    )


def _sheet_of(tokens: list[Token]) -> Sheet:
    return Sheet.of(sheet_texts(tokens))


def sheet_texts(tokens: list[Token]) -> list[str]:
    """The texts of the style sheets among ``tokens``."""
    pairs = zip(tokens, tokens[1:], strict=False)
    return [
        text.source for start, text in pairs if start.name == "style" and not start.is_end and not text.name
    ]


class _Seen:
    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.stack: list[Open] = []
        self.numbers: Counter[str] = Counter()
        self.written: list[str] = []
        self.hidden = self.depth = 0

    def write(self, tokens: list[Token]) -> str:
        for token in tokens:
            if not token.name:
                self._text(token.source)
            elif token.is_end:
                self._end(token)
            else:
                self._start(token)
        return "".join(self.written)

    def _text(self, source: str) -> None:
        if not self.hidden and (not self.stack or all(self.stack[-1].shown.values())):
            self.written.append(source)

    def _start(self, token: Token) -> None:
        self._end_others(token.name)
        element = self._opened(token)
        is_void = token.name in VOID
        element.is_written = self._is_written(token.name)
        if not self.hidden and not element.is_hidden and (not is_void or all(element.shown.values())):
            self.written.append(token.source if element.is_written else _break(token.name))
        if not is_void:
            self._push(element)

    def _is_written(self, name: str) -> bool:
        if name in IN_TABLES:
            above = self.stack[: -MAX_LOOK_UP - 1 : -1]
            table = next((each for each in above if each.name == "table" or each.name in IN_TABLES), None)
            return table is not None and table.is_written
        if name in KEPT:
            return self.depth < 2 * MAX_DEPTH
        return self.depth < MAX_DEPTH - (ROOM_OF_TABLE if name == "table" else 0)

    def _opened(self, token: Token) -> Open:
        found = token.attributes
        element = Open(token.name, frozenset(found.get("class", "").split()), found.get("id", ""))
        declared = self.sheet.declared(element, self.stack, found.get("style", ""))
        around = element.shown = self.stack[-1].shown if self.stack else SHOWN
        if declared:
            element.shown = {name: shows_text(declared, inherited=around[name], name=name) for name in SHOWN}
        element.is_hidden = (
            token.name in NEVER_SHOWN
            or "hidden" in found
            or hides(declared)
            or (token.name == "dialog" and "open" not in found)
        )
        return element

    def _push(self, element: Open) -> None:
        self.stack.append(element)
        self.numbers[element.name] += 1
        self.hidden += element.is_hidden
        self.depth += element.is_written

    def _pop(self, source: str | None = None) -> None:
        element = self.stack.pop()
        if not self.hidden:
            self.written.append(
                (source or f"</{element.name}>") if element.is_written else _break(element.name)
            )
        self.numbers[element.name] -= 1
        self.hidden -= element.is_hidden
        self.depth -= element.is_written

    def _end(self, token: Token) -> None:
        if not self.numbers[token.name]:
            return
        while self.stack[-1].name != token.name:
            self._pop()
        self._pop(token.source)

    def _end_others(self, name: str) -> None:
        ended, stops = ENDS.get(name, OF_PARAGRAPH if name in BLOCKS else (set(), set()))
        if any(self.numbers[each] for each in ended):
            for place in range(1, min(len(self.stack), MAX_LOOK_UP) + 1):
                if self.stack[-place].name in ended:
                    for _ in range(place):
                        self._pop()
                    return
                if self.stack[-place].name in stops:
                    return


def _break(name: str) -> str:
    return "<p></p>" if name in PARAGRAPHS else "<div></div>" if name in BLOCKS else ""
