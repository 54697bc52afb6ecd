"""Text from HTML has what a reader sees, and nothing that is hidden: blocks apart, at any depth."""

import re

import pytest

from notifier.templating.html_tokens import tokens_of
from notifier.templating.plaintext import html_to_text, text_template_from_html
from notifier.templating.visible_html import BLOCKS
from tests.support.effort import at_most

HIDDEN = [
    # an HTML in which x is hidden, and y is seen
    "<div style='display:none'>x</div>y",
    "<div style='display:none !important'>x</div>y",
    "<div style='DISPLAY : NONE!important;color:red'>x</div>y",
    "<div style='color:red;display:none;'><p>x</p>x</div>y",
    "<p hidden>x</p>y",
    "<p hidden=''>x</p>y",
    "<P HIDDEN=until-found>x</P>y",
    "<b hidden>x</b>y",
    "<p title='a > b' hidden>x</p>y",
    "<p hidden>x<p>y",  # the next one ends it
    "<p hidden>x<div>y</div>",
    "<ol hidden><li>x</ol>y",
    "<dl><dt hidden>x<dd>y</dl>",
    "<table><tr hidden><td>x<tr><td>y</table>",
    "<table><tr><td hidden>x<td>y</table>",
    "<div hidden><div>x</div>x</div>y",
    "<div hidden><p>x<table><tr><td>x</div>y",
    # Preheaders
    "<div style='display:none;max-height:0;overflow:hidden;mso-hide:all'>x</div>y",
    "<div style='max-height:0px;overflow:hidden'>x</div>y",
    "<span style='height:0;width:0;overflow:hidden;'>x</span>y",
    "<div style='font-size:0'>x<b>x</b></div>y",
    "<div style='font-size:0px;line-height:0'>x</div>y",
    "<div style='font:0/0 a'>x</div>y",
    "<div style='opacity:0'>x</div>y",
    "<div style='opacity:0.0'>x</div>y",
    "<div style='visibility:hidden'>x<b style='visibility:visible'>y</b>x</div>",
    "<div style='font-size:0px'>x<div style='font-size:13px'>y</div></div>",  # columns, as MJML makes them
    # Elements without anything to see
    "<template>x</template>y",
    "<head><title>x</title><style>x{}</style></head><body>y</body>",
    "<script>x('</p>')</script>y",
    "<datalist><option>x</datalist>y",
    "<dialog>x</dialog><dialog open>y</dialog>",
    "<!-- <p>x</p> -->y",
    "<!--[if mso]><p>x</p><![endif]-->y",
    "<![if !mso]>y<![endif]>",
    "y<!-- x",
    "y<style>.x{display:none}",
    # Rules
    "<style>.pre{display:none}</style><p class='a pre'>x</p>y",
    "<style>p.pre, #top {display:none!important}</style><p class=pre>x</p><i id=top>x</i><b class=pre>y</b>",
    "y<p class=pre>x</p><style>.pre{display:none}</style>",  # wherever it stands
    "<style>/* .y{ */ .pre /* } */ {display:/* a */none}</style><p class=pre>x</p>y",
    "<style>.a .b, #c>p{display:none}</style><div class=a><i><b class=b>x</b></i></div>y"
    "<div id=c><p>x</p></div>",
    "<style>#c>p{display:none}</style><div id=c><div><p>y</p></div></div>",
    "<style>.a{visibility:hidden}.b{visibility:visible}</style><div class=a>x<i class=b>y</i></div>",
    "<style>@media screen{.s{display:none}}</style><p class=s>x</p>y",
    "<style>@media (max-width:600px){.y{display:none}}</style><p class=y>y</p>",
    "<style>@media print{.y{display:none}.z{a:b}} .x{display:none}</style><p class=y>y</p><p class=x>x</p>",
    "<style>.x{display:none}@media (max-width:9px){.x{display:block!important}}</style><p class=x>x</p>y",
    # Which of two counts: what is important, more exact, later
    "<style>.x{display:none}.x.y{display:block}</style><p class='x y'>y</p><p class=x>x</p>",
    "<style>.x{display:none!important}</style><p class=x style='display:block'>x</p>y",
    "<style>.y{display:none}</style><p class=y style='display:block'>y</p>",
    "<style>p{display:none}</style><style>p{display:block}</style><p>y</p>",
    "<style>#y{display:block} p.y{display:none}</style><p class=y id=y>y</p>",
]  # fmt: skip


@pytest.mark.parametrize("html", HIDDEN)
def test_what_is_hidden_is_no_text(html):
    assert html_to_text(html) == "y"


SEEN = [
    # an HTML, its text
    ("<p aria-hidden=true>y</p>", "y"),  # hidden from screen readers alone
    ("<a style='mso-hide:all' href='/x'>y</a>", "y (/x)"),  # from Outlook, which gets another button
    ("<div style='max-height:0'>y</div>", "y"),  # it overflows
    ("<div style='opacity:0.9;font-size:10px;height:100px;overflow:hidden'>y</div>", "y"),
    ("<style>p::before{display:none} a:hover{display:none} u+.y{display:none}</style><p class=y>y</p>", "y"),
    ("<p class=hidden title='display:none'>hidden</p>", "hidden"),
    ("<p title=it's>y</p>it's", "y\n\nit's"),
    ("a &lt;p hidden&gt; b", "a <p hidden> b"),
    # Blocks
    ("<ul><li hidden>x<li>y</ul>", "* y"),
    ("a<hr>b", "a\nb"),
    ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\nb\nc\nd"),
    ("<figure>a<figcaption>b</figcaption></figure>c", "a\n\nb\n\nc"),
    ("<table><caption>t</caption><tr><th>a<th>b<tr><td>c<td>d</table>", "t\na  b\nc  d"),
    ("a<table><tr><td>b</td></tr></table>c", "a\nb\n\nc"),
    ("<table><tr><td>a<table><tr><td>b</td></tr></table></td></tr></table>", "a\nb"),
    ("<pre>a\n  b</pre>c", "a\n  b\nc"),
    ("<select><option>a<option>b</select>", "a\nb"),
    ("<div style='display:inline-block'>A</div><div style='display:flex'>B</div>C", "A\nB\nC"),  # columns
    ("<span style='display:block'>A</span><i style='display:table'>B</i>C", "A\nB\nC"),
    ("a <span style='display:inline-block'>b</span> c", "a b c"),
    ("<div style='display:inline'>a</div><div style='display:inline'>b</div>", "ab"),
]


@pytest.mark.parametrize(("html", "text"), SEEN)
def test_what_is_seen_is_text_and_blocks_stand_apart(html, text):
    assert html_to_text(html) == text


@pytest.mark.parametrize("name", sorted(BLOCKS - {"hr", "dialog"}))
def test_two_blocks_are_two_lines(name):
    found = html_to_text(f"<{name}>A</{name}><{name}>B</{name}>C")
    assert [line.strip("* ") for line in found.splitlines() if line] == ["A", "B", "C"]


@pytest.mark.parametrize("levels", [99, 100, 101, 300, 5000])
@pytest.mark.parametrize("name", ["div", "p", "b", "section", "table", "ul", "td", "span", "blockquote", "a"])
def test_text_is_seen_at_any_depth(name, levels):
    html = f"<{name}>" * levels + "deep" + f"</{name}>" * levels + "<p>after</p>"
    assert html_to_text(html).split() == ["deep", "after"]


DEEP = [
    # what is repeated, around a word of its own each time
    "<div>w{}",
    "<section>w{}<i>",
    "<table><tr><td>w{}",
    "<ul><li>w{}",
    "<b><p>w{}",
]


@pytest.mark.parametrize("piece", DEEP)
def test_words_at_any_depth_stand_apart_and_in_their_order(piece):
    words = [f"w{number}" for number in range(1000)]
    found = html_to_text("".join(map(piece.format, range(1000))))
    assert re.findall(r"w\d+", found) == words
    assert all(len(re.findall("w", line)) <= 2 for line in found.splitlines())


def test_what_is_hidden_is_hidden_below_any_depth():
    deep = "<div>" * 500
    html = (
        f"<style>.x{{display:none}}</style>{deep}<p hidden>x<b>x</b></p><div class=x>{deep}x{'</div>' * 501}y"
    )
    assert "x" not in html_to_text(html)
    assert html_to_text(f"<div hidden>{deep}x{'</div>' * 500}</div>y") == "y"


HOSTILE = [
    "<b>x</i>",
    "<p>",
    "<b",
    "<p '",
    "<!--",
    "<style>",
    "<a href=",
    "</",
    "<p hidden>",
    "<x =",
    "<td>",
    "<a>",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_it_takes_time_by_the_length(piece):
    rules = "<style>.a .b .c{display:none} .a .a{display:none} p{opacity:0}</style>"
    with at_most(3):
        html_to_text(rules + piece * (60_000 // len(piece)))
    with at_most(3):
        html_to_text("<i><table>" + "<b class=a>" * 3000 + "</i>" * 3000)


@pytest.mark.parametrize("html", [*HIDDEN, *(html for html, _ in SEEN), *(each * 3 for each in HOSTILE)])
def test_tokens_are_the_whole_source(html):
    assert "".join(token.source for token in tokens_of(html)) == html


DEPENDS = [
    # a source, whether what is seen of it depends on a value
    ("<p style='{{ a }}'>x</p>", True),
    ("<p style='color:{{ a }}'>x</p>", True),  # red;display:none
    ("<p {{ a }}>x</p>", True),
    ("<style>{{ a }}</style><p>x</p>", True),
    ("<style>.x{display:none}</style><p class='{{ a }}'>x</p>", True),
    ("<style>.x{font-size:0}</style><p id='b {{ a }}'>x</p>", True),
    ("<p {% if a %}hidden{% endif %}>x</p>", True),  # a condition
    ("<p style='{% if a %}display:none{% endif %}'>x</p>", True),
    ("<style>.x.y{display:none}</style><p class='{% if a %}x{% endif %} {% if b %}y{% endif %}'>x</p>", True),
    ("{% if a %}<style>p{display:none}</style>{% endif %}<p>x</p>", True),
    ("<style>.x{font-size:13px}</style><p class='{{ a }}'>x</p>", False),
    ("<p title='{{ a }}' style='color:red'>{{ a }}</p>", False),
    ("<p hidden>{{ a }}</p><p>{{ b }}</p>", False),
]


@pytest.mark.parametrize(("source", "depends"), DEPENDS)
def test_no_text_template_is_made_where_a_value_decides_what_is_seen(source, depends):
    assert (text_template_from_html(source) is None) is depends
