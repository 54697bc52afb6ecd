"""Text that is made from HTML: what it keeps, and when the template itself can be made from the source."""

import pytest
from hypothesis import given, settings, strategies as st

from notifier.templating.compiler import compile_part
from notifier.templating.plaintext import html_to_text, text_template_from_html, tidy_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello</p><p>World</p>", "Hello\n\nWorld"),
        ("<div>a</div><div>b<br>c</div>", "a\nb\nc"),
        ("<p>a</p><p></p><p> </p><div></div><p>b</p>", "a\n\nb"),
        ("a<br><br><br><br>b", "a\n\nb"),  # empty lines are one at most
        ("  a \n\n b\tc&nbsp;d  ", "a b c d"),
        ("<ul><li>x</li><li>y</li></ul>", "* x\n  * y"),
        ("<html><head><title>T</title><style>p{}</style></head><body><style>b{}</style>x<!-- c "
            "--></body></html>", "x"),
        ("<script>a()</script><body><script>b()</script>x</body>", "x"),
        ("<p style='display:none'>preheader</p>x", "x"),
        ("<a href='https://x.org/?a=1&amp;b=2'>the <b>shop</b></a>!", "the shop (https://x.org/?a=1&b=2)!"),
        # Not twice
        ("<a href='https://x.org'>https://x.org</a> "
            "<a href='mailto:a@x.org'>a@x.org</a>", "https://x.org a@x.org"),
        ("<a href='#top'>top</a> <a>none</a> <a href=''>empty</a>", "top none empty"),
        ("<a href='https://x.org'><img src='logo.png' alt='Shop'></a>", "Shop (https://x.org)"),
        ("<a href='https://x.org'><img src='logo.png'></a>", "https://x.org"),
        ("Tom &amp; Jerry &lt;b&gt;", "Tom & Jerry <b>"),
        ("&amp;lt; &amp;amp;", "&lt; &amp;"),  # what a person wrote with an ampersand stays as it was written
        ("<table><tr><td>&amp;lt;</td></tr></table>", "&lt;"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>long</td><td>c</td></tr></table>", "a     b\nlong  c"),
        ("", ""),
        ("  <!-- only -->", ""),
        ("<?xml version='1.0' encoding='utf-8'?><p>ü</p>", "ü"),
        ("a\x00b\ud800<p>c", "ab\n\nc"),  # no text in any language
        ("<p>a<div>b</p></span><b>c", "a\n\nbc"),  # broken mark-up
    ],
)  # fmt: skip
def test_text_keeps_what_a_reader_sees(html, text):
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>Hello {{ user.name }},</p><p>{{ a }}</p>", "Hello {{ user.name|oneline }},\n\n{{ a|oneline }}"),
        ("<style>p{}</style>{# note #}<p class='{{ b }}'>{{ a|upper }}</p>", "{{ a|upper|oneline }}"),
        ("<a href='{{ url }}'>shop</a> <a "
            "href='{{ url }}'>{{ url }}</a>", "shop ({{ url|oneline }}) {{ url|oneline }}"),
        (
            "<ul>\n{% for x in xs %}\n  <li>{{ x.name }}: {{ x.n|floatformat:2 }}</li>\n{% endfor %}</ul>",
            "{% for x in xs %}  * {{ x.name|oneline }}: {{ x.n|floatformat:2|oneline }}\n{% endfor %}",
        ),
        (
            "<p>a</p>{% if b %}<p>b</p>{% elif c %}<p>c</p>{% else %}<p>d</p>{% endif %}<p>e</p>",
            "a\n\n{% if b %}b\n\n{% elif c %}c\n\n{% else %}d\n\n{% endif %}e",
        ),
        (
            "<p>x</p>{% for x in xs %}<p>{{ x }}</p>{% empty %}<p>none</p>{% endfor %}<p>y</p>",
            "x\n\n{% for x in xs %}{{ x|oneline }}\n\n{% empty %}none\n\n{% endfor %}y",
        ),
        (
            "{% for x in xs %}{{ x }}{% if not forloop.last %}, {% endif %}{% endfor %}",
            "{% for x in xs %}{{ x|oneline }}{% if not forloop.last %}, {% endif %}{% endfor %}",
        ),
        ("Hi\n{% if a < b %}\nX\n{% endif %}\nBye", "Hi {% if a < b %}X {% endif %}Bye"),
        ("<div>{{ b|linebreaks }}</div>", "{{ b|lines }}"),
        ("<table><tr><td>{{ a }}</td></tr><tr><td>{{ "
            "b }}</td></tr></table>", "{{ a|oneline }}\n{{ b|oneline }}"),
        (
            "<p>x</p><ul>{% for x in xs %}<li>{{ x }}</li>{% endfor %}</ul><p>y</p>",
            "x\n\n{% for x in xs %}  * {{ x|oneline }}\n{% endfor %}\ny",
        ),
        ("{% with a=b %}<p>{{ a }}</p>{% endwith %}", "{% with a=b %}{{ a|oneline }}\n\n{% endwith %}"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_text_template_is_made_from_the_source(source, expected):
    assert text_template_from_html(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        # As wide as their values
        "<table><tr><td>{{ a }}</td><td>x</td></tr><tr><td>{{ b }}</td><td>y</td></tr></table>",
        # Tags between rows have no place in text
        "<table>{% for x in xs %}<tr><td>{{ x }}</td></tr>{% endfor %}</table>",
        "<pre>{{ a }}</pre>",  # keeps its blanks
        "x{% if b %}<pre>{{ a }}</pre>{% endif %}",  # the same, where only some see it
        "a {% if b %}c{% endif %} d",  # two blanks, where HTML shows one
        "{{ a|linebreaks|upper }}",
        "{{ a|force_escape }}",  # shows as it is in HTML, twice escaped in text
        "{{ a|default:'<b>none</b>' }}",  # mark-up of the template's own
        "{% firstof a '<br>' %}",
        "{% with b='&nbsp;' %}{{ b }}{% endwith %}",
        "{% verbatim %}{{ a }}{% endverbatim %}",
        "{% ifchanged %}{{ a }}{% endifchanged %}",
        "{% spaceless %}<p>a</p>{% endspaceless %}",
        "{<b></b>{ user.name }} &#123;&#123; user.name }}",  # braces that only text brings together
        "&#123;% if a %}x{% if b %}y{% endif %}",
        "{% if a %}<p>",  # does not compile at all
        "{{ a.password }}",
        # Too much to try
        "{% if a %}x{% endif %}" + "".join(f"{{% if a{n} %}}x{{% endif %}}" for n in range(30)),
        "\ue000v0\ue001{{ a }}",  # our own marks
    ],
)
def test_no_text_template_is_made_where_it_would_give_another_text(source):
    assert text_template_from_html(source) is None


WORDS = st.text(st.sampled_from("ab &<>;\n\té\"'{}%"), min_size=1, max_size=12).map(lambda text: f"w{text}w")
BODIES = st.recursive(
    st.sampled_from(
        [
            "{{ a }}",
            "{{ b }}",
            "{{ item }}",
            "text",
            "<br>",
            "<a href='{{ b }}'>{{ a }}</a>",
            " ",
            "{{ b|linebreaksbr }}",
        ]
    ),
    lambda inner: st.one_of(
        st.builds("<p>{}</p>".format, inner),
        st.builds("<div>{}{}</div>".format, inner, inner),
        st.builds("<ul><li>{}</li><li>{}</li></ul>".format, inner, inner),
        st.builds("<table><tr><td>{}</td><td>{}</td></tr></table>".format, inner, inner),
        st.builds("<b>{}</b>{}".format, inner, inner),
        st.builds("{{% if c %}}{}{{% else %}}{}{{% endif %}}".format, inner, inner),
        st.builds("{{% if d %}}{}{{% endif %}}{}".format, inner, inner),
        st.builds("{{% for item in l %}}{}{{% endfor %}}{}".format, inner, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(BODIES, WORDS, WORDS, st.lists(WORDS, max_size=3), st.booleans(), st.booleans())
def test_a_text_template_gives_the_text_of_the_html_it_came_from(source, a, b, items, c, d):
    made = text_template_from_html(source)
    if made is None or a == b:
        return
    data = {"a": a, "b": b, "l": items, "item": "outside", "c": c, "d": d}
    expected = html_to_text(compile_part(source, html=True).render(data))
    assert tidy_text(compile_part(made, html=False).render(data)) == expected
