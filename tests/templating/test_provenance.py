"""What of a text came from data is known, whatever tag it came by, and the text is the same."""

from dataclasses import replace

import pytest

from notifier.templating import contents, provenance, rendering

DATA = {
    "title": "Linen",
    "empty": "",
    "number": 7,
    "lines": [{"name": "a"}, {"name": "b"}],
    "sign": f"{provenance.BEGIN}x{provenance.END}",
}
USER = {"name": "Ann", "age": 3}

SOURCES = [
    # the source, and its text with the data between « and »
    ("Hello {{ title }}!", "Hello «Linen»!"),
    ("{{ title }}", "«Linen»"),
    ("  {{ title }}  ", "«Linen»"),  # blanks around it go
    ("{{ title|upper }} {{ number }}", "«LINEN» «7»"),
    ("Hello {{ user.name }}, {{ user.age }}", "Hello «Ann», «3»"),
    ("Hello {{ user.name|upper }}", "Hello «ANN»"),
    ("{{ empty }}x{{ missing }}", "x"),
    ("{% for line in lines %}*{{ line.name }}* {% endfor %}", "*«a»* *«b»*"),
    ("{% if user.age %}*{{ title }}*{% else %}-{% endif %}", "*«Linen»*"),
    ("{% with x=title %}_{{ x }}_{{ user.name }}{% endwith %}", "_«Linen»_«Ann»"),
    ("{% firstof empty title %}", "«Linen»"),
    ("{% cycle '*' title %}", "«*»"),  # a tag's own words are taken for data: better so
    ("{% verbatim %}{{ x }}{% endverbatim %}{% templatetag openblock %}", "{{ x }}{%"),
    ('{% translate "Sale" %}: {% translate title %}', "Sale: «Linen»"),
    ("{% spaceless %}<b> {{ title }} </b> <i></i>{% endspaceless %}", "<b> «Linen» </b><i></i>"),
    ("{% if user.name %}{% for line in lines %}{{ line.name }}{% endfor %}{% endif %}", "«a»«b»"),
    ("{{ sign }}", "«x»"),  # the signs themselves are in no data
]


@pytest.mark.parametrize(("source", "expected"), SOURCES)
def test_data_is_told_apart_from_the_templates_words(source, expected):
    compiled = contents.compile_content("", source, "")
    found = rendering.EventContent(compiled, DATA, tells_data_apart=True).render(USER)
    text, at, marked = found["text"], 0, ""
    for begin, end in found["from_data"]:
        marked, at = f"{marked}{text[at:begin]}«{text[begin:end]}»", end
    assert marked + text[at:] == expected
    plain = rendering.EventContent(compiled, DATA).render(USER)
    assert "from_data" not in plain
    assert provenance.SIGN.sub("", plain["text"]) == text


def test_of_a_text_that_is_made_from_the_html_nothing_is_known():
    compiled = replace(contents.compile_content("", "", "<b>{{ title }}</b>"), text=None)
    assert "from_data" not in rendering.EventContent(compiled, DATA, tells_data_apart=True).render(USER)
