"""What an administrator may type, what it reads, and where it stops."""

import datetime as dt
import json
import tracemalloc
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from notifier.exceptions import TemplateRefused, TemplateTooLarge
from notifier.templating.compiler import (
    MAX_LOOP_ITERATIONS,
    MAX_OUTPUT_BYTES,
    MAX_SOURCE_BYTES,
    FrozenObject,
    compile_part,
    merge_paths,
    path_names,
)

VALUE = {"": {}}
BLANK = FrozenObject({"": ""})


def render(source, html=True, **data):
    return compile_part(source, html=html).render(data)


def refusal(source, **kwargs):
    with pytest.raises(TemplateRefused) as caught:
        compile_part(source, **({"html": True} | kwargs))
    return caught.value


def test_html_is_escaped_and_text_is_not():
    assert render("{{ a }}", html=True, a="<b> & 'x'") == "&lt;b&gt; &amp; &#x27;x&#x27;"
    assert render("{{ a }}", html=False, a="<b> & 'x'") == "<b> & 'x'"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ missing }}{{ a.missing }}{{ a.b.missing.too }}", ""),  # nothing there is the empty string
        ("{{ a.b }}{{ lines.1.name }}{{ lines.7.name }}", "cpear"),  # keys, positions, a position too far
        ("{% for line in lines %}{{ forloop.counter }}{{ line.name }}{% endfor %}", "1apple2pear"),
        (
            "{% for x in lines %}{% for y in lines %}{{ forloop.parentloop.counter }}{% endfor "
            "%}{% endfor %}",
            "1122",
        ),
        ("{% for x in none %}x{% empty %}nothing{% endfor %}", "nothing"),
        ("{% for x, y in pairs %}{{ x }}{{ y }}{% endfor %}", "1234"),
        ("{% with n=a.b %}{{ n|upper }}{% endwith %}", "C"),
        ("{% if a.b == 'c' and not missing %}yes{% else %}no{% endif %}", "yes"),
        ("{% for x in lines %}{% cycle 'odd' 'even' %}{% endfor %}", "oddeven"),
        ("{% firstof missing a.b %}{% firstof missing 'or' as name %}{{ name }}", "cor"),
        ("{% for x in lines %}{% ifchanged x.kind %}{{ x.kind }}{% endifchanged %}{% endfor %}", "fruit"),
        ("{% spaceless %}<p> <b>x</b> </p>{% endspaceless %}", "<p><b>x</b></p>"),
        (
            "{% verbatim %}{{ a }}{% endverbatim %}{% templatetag openvariable %}{# gone #}{% "
            "comment %}x{% endcomment %}",
            "{{ a }}{{",
        ),
        ("{% widthratio 1 2 100 %}", "50"),
        (
            "{{ price|floatformat:2 }} {{ day|date:'j F Y' }} {{ lines|length }} {{ missing|default:a.b }}",
            "3.50 2 January 2024 2 c",
        ),
        ("{{ lines|join:', ' }}", "Apple, Pear"),  # objects stand for their text
        # A missing argument does not stop it
        ("{{ a.b|default:missing.too }}{{ missing|default:missing.too }}", "c"),
        ("{{ text|oneline }}|{{ text|lines }}", "x y z|x y\nz"),
    ],
)
def test_the_allowed_tags_and_filters_work_as_in_django(source, expected):
    data = {
        "a": {"b": "c"},
        "lines": [
            FrozenObject({"": "Apple", "name": "apple", "kind": "fruit"}),
            FrozenObject({"": "Pear", "name": "pear", "kind": "fruit"}),
        ],
        "pairs": [[1, 2], [3, 4]],
        "price": Decimal("3.5"),
        "day": dt.date(2024, 1, 2),
        "text": "x   y\n  z ",
    }
    assert render(source, **data) == expected


def test_values_are_written_into_json_as_json():
    source = (
        '{"a": {{ text|json }}, "b": {{ price|json }}, "c": {{ day|json }}, "d": {{ lines|json }}, '
        '"e": {{ none|json }}}'
    )
    data = {
        "text": 'Say "ü"\n',
        "price": Decimal("3.5"),
        "day": dt.date(2024, 1, 2),
        "lines": [FrozenObject({"": "Apple", "name": "a"})],
        "none": None,
    }
    found = json.loads(compile_part(source, html=False).render(data))
    assert found == {"a": 'Say "ü"\n', "b": "3.5", "c": "2024-01-02", "d": ["Apple"], "e": None}


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("{{ instance }}", {"instance": VALUE}),
        ("{{ instance.title }}{{ instance.title|upper }}", {"instance": {"title": VALUE}}),
        (
            "{% for line in instance.lines.all %}{{ line.product.name }}{% endfor %}{{ "
                "instance.title }}{{ instance }}",
            {"instance": {"": {}, "title": VALUE, "lines": {"all": {"*": {"product": {"name": VALUE}}}}}},
        ),
        ("{% for line in a %}x{% endfor %}", {"a": {"*": {}}}),  # how many there are is read
        ("{% for x in a %}{% empty %}{{ b }}{{ x }}{% endfor %}", {"a": {"*": {}}, "b": VALUE, "x": VALUE}),
        ("{% for x, y in a %}{{ y.b }}{% endfor %}", {"a": {"*": {"*": {"b": VALUE}}}}),
        ("{{ a.0.name }}{{ b.first }}", {"a": {"*": {"name": VALUE}}, "b": {"first": VALUE}}),
        (
            "{% with p=a.product %}{{ p.name }}{% endwith %}{{ p.name }}",
            {"a": {"product": {"name": VALUE}}, "p": {"name": VALUE}},
        ),
        ("{% for x in a %}{{ forloop.counter "
            "}}{% endfor %}{{ forloop }}", {"a": {"*": {}}, "forloop": VALUE}),
        # A slice keeps its items
        ("{% for x in a|slice:':3' %}{{ x.b }}{% endfor %}", {"a": {"*": {"b": VALUE}}}),
        ("{% with x=a|first %}{{ x.b }}{% endwith %}", {"a": {"*": {"b": VALUE}}}),
        ("{% with x=a|default:b %}{{ x.c }}{% endwith %}", {"a": {"c": VALUE}, "b": {"c": VALUE}}),  # either
        ("{{ a|join:b }}", {"a": {"*": VALUE}, "b": VALUE}),
        ("{% if a.b and not c|length "
            "> d %}{% elif e %}{% endif %}", {"a": {"b": VALUE}, "c": VALUE, "d": VALUE, "e": VALUE}),
        ("{% if True or None %}{% endif %}{{ 'text' }}{{ 5 }}", {}),
        ("{% firstof a b.c as n %}{{ n.x }}", {"a": VALUE, "b": {"c": VALUE}}),  # bound to a text
        # To the value
        ("{% cycle d e as m %}{{ m.y }}", {"d": {"": {}, "y": VALUE}, "e": {"": {}, "y": VALUE}}),
        (
            "{% widthratio a b c %}{% ifchanged d %}{{ e }}{% endifchanged %}{% spaceless %}{{ "
                "f }}{% endspaceless %}",
            dict.fromkeys("abcdef", VALUE),
        ),
        ("{% comment %}{{ a }}{% endcomment %}{# {{ b }} #}{% verbatim %}{{ c }}{% endverbatim %}", {}),
    ],
)  # fmt: skip
def test_the_paths_are_those_that_the_part_reads(source, tree):
    assert compile_part(source, html=True).paths == tree


def test_path_trees_merge_and_have_names():
    merged = merge_paths({"a": {"b": VALUE}}, {"a": VALUE, "c": {"*": {"d": VALUE}}}, {})
    assert merged == {"a": {"": {}, "b": VALUE}, "c": {"*": {"d": VALUE}}}
    assert path_names(merged) == ["a", "a.b", "c.*.d"]


@pytest.mark.parametrize(
    "source",
    [
        "{% load static %}",
        "{% include 'x.html' %}",
        "{% extends 'x.html' %}",
        "{% block x %}{% endblock %}",
        "{% debug %}",
        "{% url 'admin:index' %}",
        "{% csrf_token %}",
        "{% autoescape off %}{{ a }}{% endautoescape %}",  # would undo the escaping
        "{% filter upper %}a{% endfilter %}",
        "{% lorem 100000 p %}",
        "{% regroup a by b as c %}",
        "{{ a|safe }}",  # would undo the escaping
        "{{ a|safeseq }}",
        "{{ a|json_script }}",
        "{{ a|pprint }}",  # shows what no path names
        "{{ a|dictsort:'x' }}",
        "{{ a|unordered_list }}",
        "{{ a|stringformat:'1000000000d' }}",  # allocates what its argument says
        "{{ a|ljust:1000000000 }}",
        "{{ a|rjust:1000000000 }}",
        "{{ a|center:1000000000 }}",
        "{{ a|make_list }}",
        "{{ a|random }}",
        "{{ a.__class__ }}",
        "{{ __builtins__ }}",
        "{{ a._meta }}",
        "{% if a.__class__ %}{% endif %}",
        "{% for x in a._state %}{% endfor %}",
        "{{ a|default:b._private }}",
        "{{ user.password }}",
        "{% with p=user %}{{ p.password }}{% endwith %}",  # by another name
        "{{ a.auth_token }}",
        "{{ a.clientSecret }}",
        "{{ a.API_KEY }}",
        "{{ a.private_key.x }}",
        "{{ a.password_hash }}",
        "{{ a.hash }}",
        "{{ a.salt }}",
        "{{ a.otp }}",
        "{{ a.session_key }}",
        "{% if user.password == 'x' %}{% endif %}",
        "{{ a|default:user.password }}",
        "{{ a()",  # the rest of this table is broken syntax
        "{{ a() }}x",
        "{{ a['b'] }}",
        "{{ }}",
        "{% if a %}",
        "{% endif %}",
        "{% for x %}{% endfor %}",
        "{% if a b %}{% endif %}",
        "{% %}",
        "{{ a|date:1:2 }}",
    ],
)
def test_what_is_not_allowed_is_refused_when_it_is_saved(source):
    if source == "{{ a()":
        assert render(source) == source  # no tag at all
    else:
        assert refusal(source).line == 1


@pytest.mark.parametrize(
    "source", ["{{ a.hashtag }}", "{{ a.salty }}", "{{ a.passport }}", "{{ a.opt_out }}", "{{ settings.x }}"]
)
def test_an_ordinary_name_is_not_taken_for_a_secret(source):
    assert render(source) == ""


PIECES = """
    {{ }} {% %} {# #} if elif else endif for in endfor empty with endwith cycle firstof as silent now
        templatetag widthratio
    verbatim endverbatim comment spaceless ifchanged a a.b a.0 1 1. 1e 1e999 -2 'x' "y _('z') | : upper
        date add join and or
    not is == < = , None ² .
"""


@given(st.lists(st.sampled_from(PIECES.split()), max_size=30))
def test_any_text_at_all_compiles_or_is_refused_in_words(pieces):
    for source in (" ".join(pieces), "{% " + " ".join(pieces) + " %}", "{{ " + "".join(pieces) + " }}"):
        with suppress(TemplateRefused):
            compile_part(source, html=True)


def test_a_refusal_names_the_line_the_part_and_what_would_be_allowed():
    assert str(refusal("\n\n{{ instance.password }}")).startswith(
        "Line 3: {{ instance.password }} cannot be used: "
    )
    assert "Allowed are: comment, cycle, " in str(refusal("a\n{% load x %}"))
    assert "Allowed are: add, capfirst, " in str(refusal("{{ x|safe }}"))
    assert "{% endif %}" in str(refusal("{% if a %}"))
    assert (refusal("a\n{% load x %}").part, refusal("a\n{% load x %}").line) == ("html", 2)
    assert refusal("{% load x %}", html=False).part == "text"
    assert refusal("{% load x %}", html=False, part="subject").part == "subject"


class Dangerous(dict):
    """A value that must not be asked for anything but its keys."""

    def explode(self):
        raise AssertionError("called")

    @property
    def attribute(self):
        raise AssertionError("read")


@pytest.mark.parametrize(
    "source",
    [
        "{{ a.items }}{{ a.keys }}{{ a.pop }}{{ a.clear }}",  # methods of a dict
        "{{ s.title }}{{ s.upper }}{{ s.format }}",  # of a text
        "{{ n.real }}{{ n.bit_length }}{{ d.year }}",  # of numbers and dates
        "{{ l.append }}{{ l.clear }}{{ l.sort }}",  # of a list
        "{{ x.explode }}{{ x.attribute }}{{ f }}",
        "{% for k in a.items %}{{ k }}{% endfor %}{% if a.clear or x.explode %}x{% endif %}",
        "{% with p=x.attribute %}{{ p }}{% endwith %}{{ ''|add:a.items }}",
        "{{ settings }}{{ settings.DEBUG }}{{ request }}{{ block }}{{ s.0 }}",
    ],
)
def test_data_is_looked_up_and_never_called(source):
    def f():
        raise AssertionError("called")

    data = {"a": {"k": 1}, "s": "text", "n": 5, "d": dt.date(2024, 1, 1), "l": [1], "x": Dangerous()}
    assert render(source, **data) == ""
    assert (data["a"], data["l"]) == ({"k": 1}, [1])
    assert "function" in render("{{ f }}", f=f)  # shown, not called


def test_a_template_leaves_the_data_as_it_is():
    data = {"a": 1}
    compile_part("{% firstof a as b %}{% now 'Y' as a %}", html=True).render(data)
    assert data == {"a": 1}


def nested_loops(body, depth):
    return "{% for x in l %}" * depth + body + "{% endfor %}" * depth


@pytest.mark.parametrize(
    "source",
    [
        nested_loops("{% if x %}{% endif %}", 5),  # no output at all
        nested_loops("", 2),
        nested_loops("x" * 1000, 1),  # long bodies stop long before the iterations do
        nested_loops("x" * 30_000, 2),
        # Counted where it arises
        "{% for x in l %}{% spaceless %}" + " " * 1000 + "{% endspaceless %}{% endfor %}",
        "{{ s }}{{ s }}",
        "{{ s|urlencode|length }}",  # never shown, and yet never made
        "{{ l|join:s }}",
        "{{ s|join:s }}{{ s }}{{ s }}",
        "{{ 1|floatformat:100000 }}",
        "{{ 1|floatformat:'-999999999' }}",
        "{% for x in l %}é{{ t }}{% endfor %}",  # bytes, not characters
    ],
)
def test_a_template_past_a_bound_stops(source):
    with pytest.raises(TemplateTooLarge):
        render(source, l=list(range(1000)), s="é" * 200_000, t="é" * 150)


def test_a_join_that_is_too_long_is_not_made_at_all():
    part = compile_part("{{ l|join:s }}", html=True)
    tracemalloc.start()
    with pytest.raises(TemplateTooLarge):
        part.render({"l": list(range(1000)), "s": "x" * 200_000})
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_the_bounds_are_where_they_are_said_to_be():
    loop = compile_part("{% for x in l %}{% endfor %}", html=False)
    assert loop.render({"l": [0] * MAX_LOOP_ITERATIONS}) == ""
    with pytest.raises(TemplateTooLarge):
        loop.render({"l": [0] * (MAX_LOOP_ITERATIONS + 1)})
    value = compile_part("{{ a }}", html=False)
    assert len(value.render({"a": "x" * MAX_OUTPUT_BYTES})) == MAX_OUTPUT_BYTES
    with pytest.raises(TemplateTooLarge):
        value.render({"a": "x" * (MAX_OUTPUT_BYTES + 1)})
    assert compile_part("é" * (MAX_SOURCE_BYTES // 2), html=False)
    assert refusal("é" * (MAX_SOURCE_BYTES // 2) + "x").line is None


@pytest.mark.parametrize(
    "source",
    [
        "{% with a='xxxxxxxxxxxxxxxx' %}" + "{% with a=a|add:a %}" * 25 + "{{ a }}" + "{% endwith %}" * 26,
        "{{ 'xxxxxxxxxxxxxxxx'" + "|add:'xxxxxxxxxxxxxxxx'" * 500 + "|length }}",
        "{% with a=l %}" + "{% with a=a|add:a %}" * 25 + "{{ a|length }}{% endwith %}" + "{% endwith %}" * 25,
        "{% with a=1 %}{% for x in l %}{% with b=a|add:a %}{% cycle b as a silent %}{% endwith "
        "%}{% endfor %}{% endwith %}",
        "{{ '&'" + "|force_escape" * 1000 + "|length }}",
    ],
)
def test_values_that_grow_from_themselves_stay_small(source):
    assert len(render(source, l=list(range(1000)))) < 10


@pytest.mark.parametrize(
    "source",
    [
        "{% if a %}" * 100 + "{% endif %}" * 100,  # nesting
        "{% if " + "not " * 500 + "a %}{% endif %}",  # Django would answer by the depth of its stack
        "{% if a" + " or a" * 500 + " %}{% endif %}",
        "{% if a %}{% elif a" + " or a" * 500 + " %}{% endif %}",
        "{{ a" + ".b" * 1000 + " }}",
        "{% with a=a.b.c.d.e %}" * 10 + "{{ a }}" + "{% endwith %}" * 10,  # a long path made of short ones
        # A million things that `a` may stand for
        "{% with a=a.x|default:a.y %}" * 20 + "{{ a }}" + "{% endwith %}" * 20,
    ],
)
def test_a_template_that_is_too_deep_is_refused(source):
    assert refusal(source).line == 1


def test_a_frozen_object_stands_for_its_text_and_is_compared_by_its_key():
    ann, also_ann = (
        FrozenObject({"": "Ann", "pk": 1, "model": "a.user"}),
        FrozenObject({"": "Bob", "pk": 1, "model": "a.user"}),
    )
    order = FrozenObject({"": "Ann", "pk": 1, "model": "a.order"})
    assert (str(ann), f"{[ann]}", str(FrozenObject(x=1)), bool(FrozenObject())) == ("Ann", "[Ann]", "", True)
    assert ann == also_ann
    assert ann != order
    assert FrozenObject({"": "x"}) == FrozenObject({"": "x", "pk": 1})
    assert (ann != also_ann) is False  # which Python asks apart
    assert ann == "Ann"
    assert (
        render(
            "{{ a }} {% if a == b %}same{% endif %}{% if a != c %}, other{% endif %}",
            a=ann,
            b=also_ann,
            c=order,
        )
        == "Ann same, other"
    )
    assert render("{% if a in l %}in{% endif %}{% if a %}, true{% endif %}", a=BLANK, l=[BLANK]) == "in, true"
