"""Templates of a kilobyte, or somebody's own data, that would take a function's whole time or memory; and
what each gets: an end soon, for itself alone.
"""

import datetime as dt
import tracemalloc
from decimal import Decimal
from functools import partial

import pytest

from notifier.exceptions import TemplateTooLarge
from notifier.templating import contents, rendering, work
from notifier.templating.compiler import MAX_WORK_BYTES, compile_part
from notifier.templating.data import FrozenObject
from notifier.templating.filters import LIBRARY
from notifier.templating.specialising import specialise
from tests.support.effort import at_most, takes_at_most

pytestmark = pytest.mark.one_database

SECONDS, PEAK_BYTES = 4, 60_000_000


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = [value]
    return value


DATA = {
    "many": list(range(9_000)),
    "few": list(range(50)),
    "text": "Tom & <b>Ann</b>, 12. " * 11_000,
    "quotes": '"' * 240_000,
    "same": ("Tom & <b>Ann</b>, 12. " * 11_000).replace("&", "&"),
    "marks": "\u0301\u0316" * 60_000,
    "emoji": "\U0001f600" * 60_000,
    "lines": "\n\nx" * 80_000,
    "words": ["word"] * 20_000,
    "others": ["word"] * 20_000,
    "objects": [FrozenObject({"": f"o{n}", "pk": n, "model": "demo.post"}) for n in range(2_000)],
    "object": FrozenObject({"": "none", "pk": -1, "model": "demo.post"}),
    "deep": nested(900),
    "deep_too": nested(900),
    "tree": {str(n): {str(m): "x" for m in range(100)} for n in range(100)},
    "number": Decimal("1E+1000000"),
    "digits": 10**4_000,
    "day": dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC),
    "r": "r" * 8_000,
}
PERSON = {"name": "Ann", "vip": True, "note": DATA["text"]}


def loop(body):
    return "{% for a in many %}" + body + "{% endfor %}"


# By what is done again and again, or once too often.
TEMPLATES = {
    "a chain of filters in a loop": loop("{{ text|upper|lower|title|cut:'x'|length }}"),
    "a filter whose result nobody sees": loop("{% if text|lower == 'x' %}{% endif %}"),
    "a filter in an argument's place": loop("{{ ''|default:text|upper|length }}"),
    "filters in a loop's head": loop("{% for b in text|striptags|slice:':1' %}{% endfor %}"),
    "filters in a with": loop("{% with b=text|upper c=text|lower %}{% endwith %}"),
    "filters in a cycle": loop("{% cycle text|upper text|lower silent %}"),
    "filters in ifchanged": loop("{% ifchanged text|upper %}{% endifchanged %}"),
    "filters in widthratio": loop("{% widthratio text|length text|upper|length 0 %}"),
    "texts kept by firstof": "".join(f"{{% firstof quotes as q{n} %}}" for n in range(1_000)),
    "texts kept by translate": "".join(f"{{% translate quotes as q{n} %}}" for n in range(1_000)),
    "texts kept by cycle": "".join(f"{{% cycle text|lower as q{n} silent %}}" for n in range(1_000)),
    "texts kept by nested withs": "".join(f"{{% with q{n}=text|add:'x' %}}" for n in range(30))
    + loop("{{ q3|upper|length }}")
    + "{% endwith %}" * 30,
    "texts kept by now": "".join(f"{{% now '{'r' * 300}' as q{n} %}}" for n in range(180)),
    "long equal texts": loop("{% if text == same %}{% endif %}" * 20),
    "a text in a text": loop("{% if marks in text %}{% endif %}" * 20),
    "an order of texts": loop("{% if text < same %}{% endif %}" * 20),
    "an object in a long list": loop("{% if object in objects %}{% endif %}"),
    "a word in a long list": loop("{% if 'wordless' in words %}{% endif %}"),
    "not a word in a long list": loop("{% if not 'wordless' not in words and a %}{% endif %}"),
    "equal lists": loop("{% if words == others %}{% endif %}"),
    "lists that changed": loop("{% ifchanged words %}{% endifchanged %}"),
    "a word in a literal": loop(("{% if text in '" + "x" * 500 + "' %}{% endif %}") * 10),
    "conditions with nothing in them": loop("{% if x or x or x or x %}{% endif %}" * 1_500),
    "conditions with many words": loop(("{% if " + "x or " * 45 + "x %}{% endif %}") * 20),
    "nodes that write nothing": loop("{% spaceless %}{% endspaceless %}" * 1_500),
    "withs that nobody reads": loop("{% with b=a %}{% endwith %}" * 2_000),
    "values that are missing": loop("{{ x.y }}" * 6_000),
    "loops over nothing": loop("{% for b in x %}{% endfor %}" * 2_000),
    "dates": loop("{% if day|date:'l, j F Y, H:i:s' %}{% endif %}" * 100),
    "a long format of dates": loop("{{ day|date:r|length }}"),
    "a long format of now": loop("{% now '" + "F" * 200 + "' as x %}"),
    "times since": loop("{% if day|timesince %}{% endif %}" * 100),
    "sizes of files": loop("{% if a|filesizeformat %}{% endif %}" * 100),
    "decimals": loop("{% if a|floatformat:2 %}{% endif %}" * 100),
    "long numbers": loop("{{ digits|cut:'1'|length }}"),
    "a number of a million digits": "{{ number|add:0 }}{{ number|divisibleby:2 }}",
    "a million digits in an argument": "{{ 1|add:number }}{{ 7|divisibleby:number }}",
    "a million digits as bytes": "{{ number|filesizeformat }}",
    "a million digits by one": "{{ number|get_digit:1 }}{{ text|truncatechars:number }}",
    "marks on one letter, as a slug": "{{ marks|slugify }}",
    "marks on one letter, cut": "{{ marks|truncatechars:50000|length }}",
    "marks on one letter, cut as HTML": "{{ marks|truncatechars_html:50000|length }}",
    "lists in lists as JSON": "{{ deep|json }}",
    "lists in lists, shown": "{{ deep }}",
    "lists in lists, joined": "{{ deep|join:', ' }}",
    "lists in lists, as text": "{{ deep|upper }}",
    "lists in lists, compared": "{% if deep == deep_too %}yes{% endif %}",
    "a tree as JSON": loop("{{ tree|json|length }}"),
    "a tree as text": loop("{{ tree|upper|length }}"),
    "a list as text": loop("{{ words|wordcount }}"),
}
STOPPED = frozenset(TEMPLATES) - {
    # These end soon, with what a reader may see.
    "texts kept by now",
    "lists in lists, shown",
    "marks on one letter, as a slug",
    "marks on one letter, cut",
    "marks on one letter, cut as HTML",
}
# Where a template may stand: alone, in what a person decides, around what is theirs.
AROUND = {
    "for everybody": "%s",
    "for some": "{%% if user.vip %%}%s{%% endif %%}",
    "beside a name": "{{ user.name }}%s{{ user.name }}",
    "in a with of theirs": "{%% with who=user.name %%}%s{{ who }}{%% endwith %%}",
}
cases = pytest.mark.parametrize("source", TEMPLATES.values(), ids=TEMPLATES)


def outcome(function):
    """What a rendering gives: its text, or its error."""
    try:
        return function()
    except Exception as error:
        return error


def message(source, part="html"):
    """What one person gets, by the way of a send."""
    compiled = contents.compile_content(**({"subject": "", "text": "", "html": ""} | {part: source}))
    return outcome(lambda: rendering.EventContent(compiled, DATA).render(PERSON)[part])


@cases
def test_a_template_ends_soon(source):
    with at_most(seconds=SECONDS):
        found = message(source)
    is_stopped = next(name for name, each in TEMPLATES.items() if each == source) in STOPPED
    assert isinstance(found, TemplateTooLarge) is is_stopped, found


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize(
    "name", ["a chain of filters in a loop", "long equal texts", "texts kept by firstof"]
)
def test_it_ends_soon_wherever_a_person_stands(name, around):
    part = compile_part(around % TEMPLATES[name], html=True)
    with at_most(seconds=2 * SECONDS):
        found = outcome(lambda: specialise(part, DATA).render(PERSON))
    assert isinstance(found, TemplateTooLarge), found
    assert isinstance(outcome(lambda: part.render(DATA | {"user": PERSON})), TemplateTooLarge)


@pytest.mark.parametrize("part", contents.PARTS)
def test_each_part_is_bounded(part):
    with at_most(seconds=SECONDS):
        found = message(TEMPLATES["a chain of filters in a loop"], part)
    assert isinstance(found, TemplateTooLarge)


@pytest.mark.parametrize("name", [each for each in TEMPLATES if "kept" in each])
def test_little_is_kept(name):
    tracemalloc.start()
    try:
        found = message(TEMPLATES[name])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(found, TemplateTooLarge) is (name in STOPPED)
    assert peak < PEAK_BYTES


# What each filter is given; the others take nothing.
ARGUMENTS = dict.fromkeys(("default", "default_if_none", "cut", "join"), ":'x'") | {
    "add": ":text",
    "divisibleby": ":3",
    "get_digit": ":3",
    "slice": ":'::-1'",
    "truncatechars": ":90000",
    "truncatechars_html": ":90000",
    "truncatewords": ":90000",
    "truncatewords_html": ":90000",
    "wordwrap": ":1",
}


@pytest.mark.parametrize("name", sorted(LIBRARY.filters))
def test_no_filter_takes_longer_than_it_counts(name, monkeypatch):
    # An eighth of the bound, and of the time; of the texts as well, which are to be taken many times.
    monkeypatch.setattr(work.WorkContext, "most_work", MAX_WORK_BYTES // 8)
    for value in ("text", "lines", "emoji", "marks", "tree", "digits", "day", "words"):
        few = DATA[value][: len(DATA[value]) // 16] if isinstance(DATA[value], (str, list)) else DATA[value]
        source = loop(f"{{% if few|{name}{ARGUMENTS.get(name, '')} %}}{{% endif %}}" * 20)
        render = partial(compile_part(source, html=True).render, {**DATA, "few": few})
        assert takes_at_most(partial(outcome, render), seconds=SECONDS / 8), value


def test_a_condition_that_went_past_the_bound_is_not_taken_for_false():
    source = "{% if text|striptags|striptags|striptags|striptags|striptags|striptags == 'x' %}{% endif %}" * 3
    assert isinstance(message(source), TemplateTooLarge)
    assert isinstance(message("{{ user.name }}{% if user.vip %}" + source + "{% endif %}"), TemplateTooLarge)
    personal = "{% if user.note|striptags|striptags|striptags|striptags|striptags == 'x' %}{% endif %}" * 3
    assert isinstance(message(personal), TemplateTooLarge)


def test_the_bound_is_said_in_words():
    found = message(TEMPLATES["a chain of filters in a loop"])
    assert f"{MAX_WORK_BYTES:,} bytes" in str(found)
    assert "loops run less often" in str(found)


USUAL = {
    "lines": [
        FrozenObject({"": f"line {n}", "pk": n, "model": "demo.line", "name": f"Chair & table {n}"}
                     | {"price": Decimal("1234.5"), "day": DATA["day"], "note": "A note. " * 20})
        for n in range(500)
    ],
    "instance": {"body": "<p>Some words of a long text.</p> " * 3_000, "status": "paid"},
}  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        "{% for line in lines %}{{ lines|length }} {{ line.name|title|truncatechars:40 }}"
        "{{ line.price|floatformat:2 }} {{ line.day|date:'l, j F Y, H:i' }} {{ line.note|truncatewords:5 }}"
        "{% if line.price > 3 and line.name == 'x' %}!{% endif %}{% endfor %}",
        "{{ instance.body|striptags|truncatewords:99|linebreaks }}{{ instance.body|truncatewords_html:100 }}",
        "{% for line in lines %}{% if line in lines %}{% endif %}{% endfor %}",
        "{% for line in lines %}{% ifchanged line.day|date %}{{ line.day|date }}{% endifchanged %}"
        "{% if instance.body %}{% endif %}{{ instance.body|length }}{% endfor %}",
        "{% for line in lines|slice:':18' %}{% for b in lines %}{% if b.name == line.name %}x{% endif %}"
        "{% endfor %}{% endfor %}",
    ],
    ids=["an order of 500 lines", "a long text cut", "each among all", "by days", "pairs"],
)
def test_what_people_write_is_far_from_the_bound(source):
    compiled = contents.compile_content("", "", source)
    assert isinstance(rendering.EventContent(compiled, USUAL).render(PERSON)["html"], str)
