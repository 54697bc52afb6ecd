"""Markup that is deeper than it looks: to move its styles into it, or to make a text of it, ends nothing."""

import subprocess
import sys

import pytest

from notifier.templating.compiler import MAX_OUTPUT_BYTES
from notifier.templating.html_tokens import tokens_of
from notifier.templating.inlining import inline_styles
from notifier.templating.plaintext import html_to_text

pytestmark = pytest.mark.one_database

STYLE = "<style>b{color:red}</style>"
# Repeated up to the bound of a message's bytes.
DEEP = {
    "an end in an attribute": '<b a="</b>">',
    "an end in an attribute with the other quotes": "<b a='</b>'>",
    "an end in an attribute's name": "<b x</b>",
    "an end in a comment": "<b><!--</b>-->",
    "an end after an empty comment": "<b><!--></b><!---->",
    "an end after a comment of one sign more": "<b><!---><b><!--></b></b>-->",
    "an end in a comment that ends oddly": "<b><!-- --!><b><!--</b></b>-->",
    "an end in a script": "<div><script></div></script>",
    "an end in a script with a comment": "<div><script><!--<script></script></div>--></script>",
    "an end in a sheet": "<div><style></div></style>",
    "an end in a title": "<div><title></div></title>",
    "an end in a textarea": "<div><textarea></div></textarea>",
    "an end in a noscript": '<div><noscript><b a="</noscript></div>"></b></noscript>',
    "an end in an xmp": "<div><xmp></div></xmp>",
    "a title of a drawing": "<svg><title><div></title>",
    "a sheet of a drawing": "<svg><style><g></style>",
    "a section of a drawing": "<svg><![CDATA[</svg>]]>",
    "a formula": "<math><mtext><div></mtext>",
    "a sheet in a choice": "<select><style><input><div></style></select>",
    "a template": "<template><div>",
    "a name with a sign that looks blank": "<br\u00a0>",
    "a void name with another": "<img\x0b>",
    "a quote after a sign that looks blank": '<div a=x\u00a0b="></div>">',
    "a slash": "<div/>",
    "nothing closed": "<div>",
    "tables": "<table><tr><td>",
    "cells without rows": "<table><td>",
    "what a table puts before itself": "<table><b>",
    "lines opened again in paragraphs": "<p><b>",
    "lines with attributes": '<p><font color="1">',
    "crossing lines": "<b><i></b></i>",
    "a paragraph in a line": "<b><p></b>",
    "lists": "<ul><li>",
    "a list's line ended by a paragraph": "<p><dt></p><p><li></p>",
    "a list's line ended by another": "<dd><dt></dd><p><li></p>",
    "links": "<a><div></a>",
    "buttons": "<button><div>",
    "objects": "<object></p>",
    "capital letters": "<DIV><P></p>",
    "an end with a quote": '<div></div a="><div>">',
    "the last tag is not closed": "<div><div ",
    "quotes that never end": '<b a="',
    "a rulebook in brackets": "<?xml ><div?>",
    "headings": "<h1><b></h1>",
    "frames": "<frameset><frame>",
    "text only": "<plaintext><div></plaintext>",
}
CHILD = """
import sys
import django
from django.conf import settings
settings.configure()
from tests.attacks.test_deep_markup import DEEP, documents
from notifier.templating import inlining, plaintext
for name in DEEP:
    for html in documents(name):
        print(name, flush=True)
        inlining.inline_styles(html)
        plaintext.html_to_text(html[:60_000])
print("whole")
"""


def documents(name):
    piece = DEEP[name]
    return STYLE + piece * 400, STYLE + piece * ((MAX_OUTPUT_BYTES - len(STYLE)) // len(piece))


def test_no_markup_ends_the_process():
    found = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=600)
    assert (found.returncode, found.stdout.splitlines()[-1:]) == (0, ["whole"]), found.stderr[-2000:]


@pytest.mark.parametrize("name", DEEP)
def test_what_is_moved_into_its_elements_is_not_deep(name):
    for html in documents(name):
        moved = inline_styles(html)
        assert _depth(moved) < 1_000 or moved == html


def test_styles_still_reach_a_long_table_of_usual_markup():
    row = "<tr><td><p>one<p>two<br></td><td a='</td>'><ul><li><b>x</b><li>y</ul><!-- <td> --></td></tr>"
    html = f"<html><head>{STYLE}</head><body><table><tbody>{row * 200}</tbody></table></body></html>"
    assert inline_styles(html).count('<b style="color: red;">') == 200
    assert html_to_text(html).count("two") == 200


def _depth(html):
    opened = deepest = 0
    for token in tokens_of(html):
        opened += (not token.is_end) - token.is_end if token.name else 0
        deepest = max(deepest, opened)
    return deepest
