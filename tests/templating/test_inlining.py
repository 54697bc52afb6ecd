"""Styles stand in the elements, once for everybody where that is the same; odd or costly HTML goes as it
is.
"""

from dataclasses import replace

import pytest
from css_inline import CSSInliner

from notifier.templating import contents, inlining, rendering
from notifier.templating.compiler import compile_part
from notifier.templating.residue import Residue
from notifier.templating.specialising import specialise
from tests.support.effort import at_most

STYLE = (
    "<style>p{color:red} .big{margin:0} @media (max-width:9px){p{color:blue}} a:hover{color:green}</style>"
)
PEOPLE = [
    {"name": "Ann", "vip": True, "id": 5, "tags": ["a"]},
    {"name": "<b class='big'>\"&' Bo", "vip": False, "id": "x y>", "tags": []},
    {},
]
# Writes HTML as css-inline does and moves nothing: two documents are the same if these are.
WRITER = CSSInliner(inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False)

TEMPLATES = [
    # source, whether its styles are moved once for everybody
    ("<p>{{ title }}</p>", True),  # nothing of the person
    ("<p>Hello {{ user.name }}</p><p class=big>{{ user.name }} {{ user.id }}</p>", True),
    ("<p>{% if user.vip %}Dear {{ user.name|upper }}{% else %}Hello{% endif %}</p>", True),
    ('<a href="/u/{{ user.id }}?a={{ user.name|urlencode }}">{{ user.name }}</a><p>', True),
    ("<title>{{ user.name }}</title><p>{% with n=user.name %}{{ n }}{% endwith %}</p>", True),
    ("<p class='{{ user.name }}'>x</p>", False),  # what a rule looks at
    ("<p style='margin:{{ user.name }}'>x</p>", False),
    ("<a href={{ user.id }}>x</a><p>", False),  # no quotes: a blank ends it
    ("<p>{% if user.vip %}<p class=big>x</p>{% endif %}</p>", False),  # markup of some people
    ("<p>{{ user.name|linebreaks }}</p>", False),
    ("<p>{{ user.none|default:'<p>x</p>' }}</p>", False),
    ("{% with n='<p>x</p>' %}<p>{{ user.none|default:n }}</p>{% endwith %}", False),
    ("{% with n=user.none|default:'<p>x</p>' %}<p>{{ n }}</p>{% endwith %}", False),
    ("<p>{% for tag in user.tags %}<p>{{ tag }}</p>{% endfor %}</p>", False),
    ("<style>p:empty{margin:1px}</style><p>{{ user.name }}</p>", False),
    ("<style>a[href$='5']{margin:1px}</style><a href='{{ user.id }}'>x</a>", False),
    ("<style>.a{color:{{ user.name }}}</style><p>", False),
    ("<script>{{ user.name }}</script><p>", False),
    ("<!-- {{ user.name }} --><p>", False),
    ("<p>\ue003{{ user.name }}</p>", False),  # our own mark
]


@pytest.mark.parametrize(("source", "once"), TEMPLATES)
def test_styles_moved_once_for_everybody_are_those_moved_for_each(source, once, monkeypatch):
    specialised = specialise(compile_part(STYLE + source, html=True), {"title": "A <sale>"})
    inlined = inlining.Inlined(specialised)
    found = [inlined.render(person) for person in PEOPLE]
    each = [inlining.inline_styles(specialised.render(person)) for person in PEOPLE]
    assert [WRITER.inline(html) for html in found] == [WRITER.inline(html) for html in each]
    assert any("color: red" in html for html in found)
    monkeypatch.setattr(inlining, "_inliner", None)  # whoever asks for it now fails
    if once:
        assert inlined.render(PEOPLE[0]) == found[0]
    else:
        with pytest.raises(TypeError):
            inlined.render(PEOPLE[0])


def test_media_queries_and_hover_stay_and_the_text_shows_no_style():
    compiled = contents.compile_content(
        "", "", f"{STYLE}<style>b{{display:block}}</style><p>A<b>B</b>{{{{ user.name }}}}</p>"
    )
    parts = rendering.EventContent(replace(compiled, text=None), {}).render({"name": "Ann"})
    assert '<p style="color: red;">' in parts["html"]
    assert "@media (max-width:9px)" in parts["html"]
    assert "a:hover" in parts["html"]
    assert ".big" not in parts["html"] or "margin" in parts["html"]
    assert parts["text"] == "ABAnn"


def test_html_without_styles_is_sent_byte_for_byte():
    html = "<P CLASS=x>Tom & Ann<br/><unclosed {{ user.name }}"
    assert rendering.EventContent(contents.compile_content("", "x", html), {}).render({"name": "<"})[
        "html"
    ] == ("<P CLASS=x>Tom & Ann<br/><unclosed &lt;")


ODD = [
    "<p style='}{;;:'>x",  # css-inline refuses it
    "half a \ud800 pair",
    "<div>" * 40_000,  # would overflow its stack and end the process
    "<div></x>" * 40_000,
    "<div><button></div></button>" * 8_000,  # deeper than its tags say
    # Formatting is opened anew in each paragraph
    "".join(f"<b x={number}>" for number in range(400)) + "<p>" * 400,
    "<table>" * 30_000,
    "<svg><p>" * 20_000,
    "<style>" + "".join(f"a{number}:b;" for number in range(4000)) + "</style>" + "<p style='c:d'>" * 2000,
    # 45 s
    "<style>p{"
    + "".join(f"a{number}:b;" for number in range(3000))
    + "}</style>"
    + "<p style='c:d'></p>" * 1000,
    "<style>p{a:" + "b" * 10_000 + "}</style>" + "<p></p>" * 4000,  # 40 MB
    "<style>" + "* ~ * ~ * ~ * ~ y{a:b}" * 1000 + "</style>" + "<y></y>" * 3000,
]


@pytest.mark.parametrize("html", ODD)
def test_odd_or_costly_html_goes_as_it_is_and_soon(html):
    with at_most(seconds=1):
        assert inlining.inline_styles(STYLE + html) == STYLE + html


def test_nothing_is_loaded(monkeypatch):
    links = "<link rel=stylesheet href='http://127.0.0.1:9/a.css'><link rel=stylesheet href='/etc/passwd'>"
    html = inlining.inline_styles(
        f"{links}<style>@import url(http://127.0.0.1:9/b.css); p{{color:red}}</style><p>"
    )
    assert '<p style="color: red;">' in html
    assert "root:" not in html


def test_a_long_but_proper_html_is_done():
    rows = "<tr><td class=big>{}</td><td><a href='#'>x</a><br></td></tr>" * 400
    assert inlining.inline_styles(f"{STYLE}<table>{rows}</table>").count("margin: 0") == 400


def test_the_holes_are_the_only_ones_that_are_filled():
    residue = specialise(compile_part(STYLE + "<p>{{ user.name }}", html=True), {}).residue
    assert isinstance(inlining._inlined_residue(residue), Residue)
