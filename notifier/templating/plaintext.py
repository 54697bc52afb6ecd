"""Readable text from HTML, and the text template from an HTML template's source. Called by ``contents``."""

import re

from inscriptis import Inscriptis
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from lxml.etree import ParserError
from lxml.html import document_fromstring

from ..exceptions import TemplateRefused, TemplateTooLarge
from .absolute_links import MARK
from .compiler import compile_part
from .html_skeleton import VALUE, Skeleton
from .visible_html import BLOCKS, IN_TABLES, MAX_DEPTH, may_hide, visible

BLOCK = HtmlElement(display=Display.block)
CONFIG = ParserConfig(
    css=STRICT_CSS_PROFILE | dict.fromkeys(BLOCKS - STRICT_CSS_PROFILE.keys() - IN_TABLES - {"table"}, BLOCK)
)
# Markup without any of these hides nothing.
CONCERNED = re.compile(
    r"<(?:style|template|datalist|dialog)\b|<[^<]*(?:hidden|display|opacity|visibility|font(?:-size)?\s*+:\s*+[0.])",
    re.IGNORECASE,
)
DISPLAY = re.compile(r"display\s*:([^;]*);?", re.IGNORECASE)
# Inscriptis takes any other word than these two for a line's.
AS_BLOCK = frozenset(("block", "flex", "flow-root", "grid", "list-item", "table", "table-row"))
AS_LINE = frozenset(("inline", "contents"))
XML_DECLARATION = re.compile(r"^\s*+<\?xml[^>]*+>")
# Inscriptis unescapes what lxml has unescaped already, in a table once more: a literal "&lt;" would become
# "<".
AMPERSAND = "\ue002"
NOT_IN_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def html_to_text(html):
    """The text that a reader of ``html`` sees, with each link's address behind it in brackets.

    Never raises on odd HTML.
    """
    return marked_text(html).replace(MARK, "")


def marked_text(html):
    """As ``html_to_text``, with a MARK before each path of the site; see ``absolute_links``."""
    html = NOT_IN_HTML.sub("", XML_DECLARATION.sub("", html))
    if CONCERNED.search(html) or html.count("<") > MAX_DEPTH:
        html = visible(html)
    try:
        tree = document_fromstring(html)
    except ParserError:  # nothing but blanks and comments
        return ""
    for link in tree.iter("a"):
        _write_out(link)
    for table in list(tree.iter("table")):
        if table.getparent() is not None:
            # Inscriptis would write it at the end of the line before it.
            table.addprevious(table.makeelement("div"))
    for cell in tree.iter(*IN_TABLES):
        if next(cell.iterancestors("table"), None) is None:
            cell.tag = "div"
    for element in tree.iter():
        if "display" in (element.get("style") or ""):
            element.set("style", DISPLAY.sub(_as_block_or_line, element.get("style")))
        element.text, element.tail = _hidden(element.text), _hidden(element.tail)
    return tidy_text(Inscriptis(tree, CONFIG).get_text().replace(AMPERSAND, "&"))


def tidy_text(text):
    """``text`` without blanks at the ends of lines, and with at most one empty line in a row."""
    text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def text_template_from_html(source):
    """The template whose rendering, made tidy, is the text of ``source``'s rendering; None where that cannot
    be shown.

    It is tried on stand-ins for all values, with each condition met and not met and each list of 0, 1 and 2
    items.
    """
    skeleton = Skeleton.of(source)
    if skeleton is None or may_hide(skeleton.marked, VALUE):
        return None
    converted = skeleton.settle(marked_text(skeleton.marked))
    try:
        html = compile_part(skeleton.with_stand_ins(skeleton.marked), html=True)
        text = compile_part(skeleton.with_stand_ins(converted, text=True), html=False)
        if any(marked_text(html.render(data)) != tidy_text(text.render(data)) for data in skeleton.samples()):
            return None
        return compile_part(skeleton.with_tokens(converted), html=False).source
    except (TemplateRefused, TemplateTooLarge):
        return None


def _write_out(link):
    href = (link.get("href") or "").strip()
    shown = link.text_content().strip()
    if not shown:
        shown = link.text = " ".join(image.get("alt", "") for image in link.iter("img")).strip()
    if not href or href.startswith("#") or href in {shown, f"mailto:{shown}", f"tel:{shown}"}:
        return
    href = f"{MARK}{href}" if href.startswith(("/", "?")) else href
    address = f" ({href})" if shown else href
    if len(link):
        link[-1].tail = (link[-1].tail or "") + address
    else:
        link.text = (link.text or "") + address


def _as_block_or_line(found):
    value = found[1].lower().replace("!important", "").strip()
    return "display:block;" if value in AS_BLOCK else "display:inline;" if value in AS_LINE else ""


def _hidden(text):
    return text.replace("&", AMPERSAND) if text else text
