"""Braces of the template language that would go out as text are refused; those of JSON and of style sheets
are not.
"""

import json

import pytest

from notifier.exceptions import TemplateRefused
from notifier.models import TemplateContent
from notifier.templating.braces import find_stray
from notifier.templating.contents import compile_content
from tests.support.builders import make_template
from tests.support.effort import at_most

pytestmark = pytest.mark.one_database

LEFT_OVER = [
    # a text of any part, what the refusal says of it
    ("Sale: {{ instance.title", "“{{ instance.title” is not closed"),
    ("{{ instance.title }", "“{{ instance.title }” is not closed"),
    ("{{ instance.title\n}}", "Line 1: “{{ instance.title” is not closed"),  # a name stands on one line
    ("a\nb {{ instance.title %}", "Line 2: “{{ instance.title %}” is not closed"),
    ("{{", "“{{” is not closed"),
    ("{% if instance.title", "“{% if instance.title” is not closed"),
    ("{% if a }x", "“{% if a }x” is not closed"),
    ("{# a note\nof two lines #}", "“{# a note” is not closed"),  # Django's comments stand on one line
    ("{ { instance.title }}", "two braces stand apart"),
    ("{\n{ instance.title }}", "two braces stand apart"),
    ("{ instance.title }}", "“}}” closes nothing"),
    ("instance.title }}", "“}}” closes nothing"),
    ("{{ instance.title }} }}", "“}}” closes nothing"),
    ("{{ instance.title }}}}", "“}}” closes nothing"),
    ("{ if a %}x", "“%}” closes nothing"),
    ("if a %}x", "“%}” closes nothing"),
    ("{{ a }}{% if a %}{{ b{% endif %}", ""),  # Django's own words
    ("{% if a %}x{% else %}{{ b\n{% endif %}", "“{{ b” is not closed"),
    ("{% for x in a %}{{ x }}{% empty %}{{ b\n{% endfor %}", "“{{ b” is not closed"),
    ("{% with c=a %}{{ c }\n{% endwith %}", "“{{ c }” is not closed"),
    ("note #}", "“#}” closes nothing"),
]
PARTS = ("subject", "text", "html", "link", "icon")


@pytest.mark.parametrize(("source", "words"), LEFT_OVER)
@pytest.mark.parametrize("part", PARTS)
def test_a_mark_that_is_left_over_is_refused_in_every_part(part, source, words):
    with pytest.raises(TemplateRefused) as refused:
        compile_content(*[source if each == part else "" for each in PARTS])
    assert words in str(refused.value)
    assert refused.value.part == part


NO_FAULT = [
    # a text, or an HTML
    ("text", "a {b} c { d } {}"),
    ("text", '{"a": {"b": {{ a|json }}}}'),  # JSON that ends where a value does
    ("text", '{"a": {"b": {"c": {{ a|json }}}, "d": [{}, {}]}}'),
    ("text", '{"a": {"b": {% if c %}1}}{% else %}2}}{% endif %}'),  # closed in each branch
    ("text", '[{% for x in a %}{"b": {"c": {{ x|json }}}}{% if not forloop.last %},{% endif %}{% endfor %}]'),
    ("text", "{% verbatim %}{{ a }} {% if %} }} {{{% endverbatim %}"),
    ("text", "{% templatetag openvariable %} a {% templatetag closevariable %} {% templatetag openblock %}"),
    ("text", "{% comment %}{{ a\n}} {% nothing %} {% endcomment %}{# }} {{ #}"),
    ("text", '{{ "{{"|upper }}'),
    ("html", "<style>@media print{.a{width:100%}}#b{color:#fff}@media x{#c{d:e}}</style><p>{{ a }}</p>"),
    ("html", "<STYLE type='text/css'>\n.a { b: c }\n@keyframes x{0%{a:b}100%{c:d}}</STYLE >x"),
    ("html", "<!--[if mso]><style>td{width:100%}</style><![endif]-->{{ a }}"),
    ("html", "<style>.a{b:{{ a }}}@media x{.c{d:e}}</style>"),
    ("html", '<script type="application/ld+json">{"a": {"b": {"c": 1}}}</script>'),
    ("html", "{% if a %}<style>@media x{.c{d:100%}}{% endif %}</style>{{ a }}"),
]


@pytest.mark.parametrize(("part", "source"), NO_FAULT)
def test_braces_of_json_and_of_style_sheets_are_no_fault(part, source):
    compile_content(*[source if each == part else "" for each in PARTS])


def test_braces_are_no_style_sheets_where_text_only_speaks_of_one():
    with pytest.raises(TemplateRefused):
        compile_content("", "<style> 100%}", "")
    with pytest.raises(TemplateRefused):
        compile_content("", "", "<style>a{b:100%}</style> 100%}")


@pytest.mark.django_db
def test_a_block_may_close_what_its_layout_opens_and_what_neither_opens_is_refused():
    make_template({"webhook": {"text": '{"a": {"b": {% block value %}1{% endblock %}}}'}})
    layout = TemplateContent.objects.get().template.name
    page = TemplateContent(
        template=make_template(),
        channel="webhook",
        text=f'{{% extends "{layout}" %}}{{% block value %}}<>{{% endblock %}}',
    )
    page.full_clean()
    page.text = page.text.replace("<>", "2}}}} }}")
    with pytest.raises(TemplateRefused, match="With its layouts: “}}” closes nothing"):
        page.save()
    page.text = page.text.replace("2}}}} }}", "{{ a")
    with pytest.raises(TemplateRefused, match="“{{ a” is not closed"):
        page.save()


RENDERED = [
    # what was rendered, whether it is HTML, whether a mark is left
    ("Hello Ann", False, False),
    ("Hello {{ user.first_name }}", False, True),
    ("{% if a %}", False, True),
    (json.dumps({"a": {"b": {"c": {}}}}), False, False),
    ("<style>@media x{a{b:100%}}</style><p>ok</p>", True, False),
    ("<p>{{ a</p>", True, True),
]


@pytest.mark.parametrize(("text", "html", "is_left"), RENDERED)
def test_a_mark_is_found_in_what_was_rendered(text, html, is_left):
    assert (find_stray(text, html=html) is not None) is is_left


@pytest.mark.parametrize("piece", ["{ ", "{\t\n ", "}", "<style>", "</style", "%", "{}"])
def test_a_long_text_takes_no_longer_than_its_length(piece):
    with at_most(0.5):
        find_stray(piece * 60_000, html=True)
