"""Moves the rules of ``<style>`` into the elements, as mail clients want them. Called by ``contents``.

Once an event, with marks where the person's values go, as far as no value can change what a rule applies to;
else for each person. Media queries and ``:hover`` stay in ``<style>``. Nothing is loaded. HTML that
css-inline refuses, or that costs too much, stays as it is.
"""

import logging
import re
from functools import cache
from html.parser import HTMLParser

from django.template.base import VariableNode
from django.utils.safestring import SafeData

from .compiler import MAX_OUTPUT_BYTES
from .html_tokens import tokens_of
from .residue import Binding, Choice, Residue, Subtree, Value
from .specialising import Specialised
from .visible_html import sheet_texts

logger = logging.getLogger(__name__)

STYLE = re.compile(r"<style\b", re.IGNORECASE)
START = re.compile("<[A-Za-z]")
# css-inline 0.23 walks the tree recursively: some ten thousand levels end the process. Odd markup can nest
# more than it shows.
MAX_DEPTH, MAX_UNSETTLED_TAGS = 100, 300
# Each rule may apply to each element, and merging declarations is quadratic: 3,000 of them on 1,000 elements
# took 45 s.
MAX_COPIED_BYTES, MAX_MERGES = 20_000_000, 200_000_000
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
# Elements that end where one of their own kind begins, and by whose end they end: a browser closes them there
# as well. By the end of another, such as `<p><li></p>`, it does not.
IN_TABLES = frozenset(("tbody", "thead", "tfoot", "table"))
ENDED_BY = {
    "li": frozenset(("ul", "ol", "menu")),
    "dt": frozenset(("dl",)),
    "dd": frozenset(("dl",)),
    "td": IN_TABLES | {"tr"},
    "th": IN_TABLES | {"tr"},
    "tr": IN_TABLES,
    **dict.fromkeys(("tbody", "thead", "tfoot"), frozenset(("table",))),
    "p": frozenset(
        ("div", "li", "dd", "td", "th", "blockquote", "center", "section", "article", "body", "html")
    ),
    "body": frozenset(("html",)),
    "head": frozenset(("html",)),
}
# In these a browser reads tags by other rules than `html_tokens` does.
BY_OTHER_RULES = frozenset(
    ("svg", "math", "select", "script", "noscript", "plaintext", "frameset", "template")
)

OPEN, CLOSE = "\ue003", "\ue004"
MARK = re.compile(f"{OPEN}([0-9]+){CLOSE}")
QUOTED = re.compile("\"[^\"]*\"|'[^']*'")
# Elements whose content is no text, and attributes that rules look at.
RAW = {"style", "script", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}
MATCHED = {"class", "id", "style"}
# Selectors that look at other attributes, or at whether there is any text.
LOOKING_DEEPER = re.compile(r"\[|:empty|:has|:is|:where|:blank|:lang|:dir")


def inline_styles(html):
    """``html`` with its rules in its elements; as it is, where there are none or where that cannot be
    done.
    """
    if not STYLE.search(html):
        return html
    if not _is_affordable(html):
        logger.warning("An HTML is too deep or too long for its styles to be moved into its elements.")
        return html
    # Only the packages of functions that write HTML have it.
    from css_inline import InlineError

    try:
        inlined = _inliner().inline(html)
    except (InlineError, UnicodeError, ValueError) as error:
        logger.warning("The styles of an HTML could not be moved into its elements: %s", type(error).__name__)
        return html
    return inlined if len(inlined) <= 2 * MAX_OUTPUT_BYTES else html


@cache
def _inliner():
    from css_inline import CSSInliner  # see above

    return CSSInliner(
        keep_style_tags=True, remove_inlined_selectors=True, load_remote_stylesheets=False, base_url=None
    )


def _sheets(html):
    """The texts of the style sheets in ``html``."""
    return sheet_texts(list(tokens_of(html)))


def _is_affordable(html):
    tokens = list(tokens_of(html))
    rules, tags = "".join(sheet_texts(tokens)), len(START.findall(html))
    declarations = rules.count(";") + rules.count("{")
    if len(rules) * tags > MAX_COPIED_BYTES:
        return False
    if declarations * (declarations * tags + html.count(";")) > MAX_MERGES:
        return False
    # Of few, whatever they are in and however they are closed, no tree can be deep.
    return tags <= MAX_UNSETTLED_TAGS or _is_settled(tokens)


def _is_settled(tokens):
    """Whether each element is closed where it should be, and none is deep: then a browser's rules nest
    nothing deeper.
    """
    opened = []
    for token in tokens:
        name = token.name
        if name in BY_OTHER_RULES:
            return False
        if not name or name in VOID:
            continue
        if not token.is_end:
            if opened and opened[-1] == name and name in ENDED_BY:
                opened.pop()
            opened.append(name)
            if len(opened) > MAX_DEPTH:
                return False
            continue
        while opened and name in ENDED_BY.get(opened[-1], ()):
            opened.pop()
        if not opened or opened.pop() != name:
            return False
    return True


class Inlined:
    """A specialised HTML with its styles in its elements: once for everybody where that is the same, else for
    each.
    """

    def __init__(self, specialised):
        self._specialised, self._finished = specialised, False
        if not STYLE.search(specialised.template.source):
            self._finished = True
        elif specialised.constant is not None:
            self._specialised = Specialised(
                specialised.template, Residue([inline_styles(specialised.constant)])
            )
            self._finished = True
        elif residue := _inlined_residue(specialised.residue):
            self._specialised, self._finished = Specialised(specialised.template, residue), True

    def change(self, change):
        """Apply ``change`` to what is the same for everybody. False where that cannot be done, or it gives
        None.
        """
        changed = change(self._specialised) if self._finished else None
        self._specialised = changed or self._specialised
        return changed is not None

    def render(self, user, links=None):
        html = self._specialised.render(user, links)
        return html if self._finished else inline_styles(html)


def _inlined_residue(residue):
    """The residue with its styles moved around the holes, or None where a hole may change what they apply
    to.
    """
    holes = [hole for _, hole in residue.holes]
    if not all(_is_text(hole) for hole in holes) or any(
        OPEN in part for part in residue.parts if isinstance(part, str)
    ):
        return None
    numbers = iter(range(len(holes)))
    marked = "".join(
        part if isinstance(part, str) else f"{OPEN}{next(numbers)}{CLOSE}" for part in residue.parts
    )
    if LOOKING_DEEPER.search("".join(_sheets(marked))) or not _are_in_text(marked, len(holes)):
        return None
    pieces = MARK.split(inline_styles(marked))
    if pieces[1::2] != [str(number) for number in range(len(holes))]:
        return None
    parts = [holes[int(piece)] if index % 2 else piece for index, piece in enumerate(pieces)]
    return Residue(parts, residue.iterations, residue.output_bytes, residue.work)


def _is_text(hole):
    """Whether all that can fill the hole is text without markup."""
    match hole:
        case Value():
            return hole.html
        case Subtree(nodes=[VariableNode() as node]):
            # A literal is safe, also by the name that a tag has given it.
            return _writes_text(node.token.contents) and not any(
                isinstance(value, SafeData) for value in hole.values.values()
            )
        case Choice():
            return all(_is_text_alone(body) for _, body in hole.branches)
        case Binding():
            return all(_writes_text(bound.token) for bound in hole.bound.values()) and _is_text_alone(
                hole.body
            )
    return False


def _writes_text(expression):
    return "<" not in expression and "linebreaks" not in expression


def _is_text_alone(residue):
    return all(
        not set("<>\"'") & set(part) if isinstance(part, str) else _is_text(part) for part in residue.parts
    )


class _Places(HTMLParser):
    """Counts the marks that stand in text, or in a quoted attribute that no rule looks at."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.raw, self.found = False, 0

    def handle_starttag(self, tag, attributes):
        if not MARK.search(QUOTED.sub("", self.get_starttag_text())):
            self.found += sum(
                len(MARK.findall(value or "")) for name, value in attributes if name not in MATCHED
            )
        self.raw = self.raw or tag in RAW

    def handle_endtag(self, tag):
        self.raw = self.raw and tag not in RAW

    def handle_data(self, data):
        self.found += 0 if self.raw else len(MARK.findall(data))


def _are_in_text(marked, number):
    places = _Places()
    places.feed(marked)
    places.close()
    return places.found == number
