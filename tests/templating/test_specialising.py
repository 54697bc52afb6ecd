"""A specialised part gives what the plain rendering gives, to the byte and to the bound."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from notifier.exceptions import TemplateTooLarge
from notifier.templating.compiler import compile_part
from notifier.templating.data import FrozenObject
from notifier.templating.residue import Subtree
from notifier.templating.specialising import specialise
from tests.support.sizes import full_or

DATA = {
    "a": "Tom & <Ann>",
    "b": "",
    "n": 3,
    "price": Decimal("1234.5"),
    "day": dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC),
    "xs": [
        FrozenObject({"": "one", "k": "x", "t": "1"}),
        FrozenObject({"": "two", "k": "x", "t": "<2>"}),
        FrozenObject({"": "three", "k": "y", "t": ""}),
    ],
    "pairs": [[1, 2], [3, 4]],
    "user": {"name": "not the person: the event's own"},
}
ANN = FrozenObject(
    {
        "": "Ann",
        "name": "Ann &  <Co>",
        "nick": "",
        "age": 7,
        "born": dt.date(2000, 5, 6),
        "tags": ["p", "q"],
        "vip": True,
    }
)
CY = FrozenObject({"": "Cy", "name": "Cy"})
BOB = FrozenObject({"": "Bob", "name": "Bob", "nick": "Bo", "tags": [], "vip": False, "boss": CY})
NOBODY = {}


def outcome(function):
    """What a rendering gives: its text, or the class of its error."""
    try:
        return function()
    except Exception as error:
        return type(error)


def check(source, data=None, html=True):
    part, data = compile_part(source, html=html), DATA if data is None else data
    before = repr(data)
    specialised = outcome(lambda: specialise(part, data))
    for person in (ANN, BOB, NOBODY, ANN):
        plain = outcome(lambda person=person: part.render({**data, "user": person}))
        quick = (
            specialised
            if isinstance(specialised, type)
            else outcome(lambda person=person: specialised.render(person))
        )
        assert quick == plain, (source, person)
    assert repr(data) == before
    return specialised


def holes(specialised):
    return [type(hole).__name__ for _, hole in specialised.residue.holes]


@pytest.mark.parametrize(
    ("source", "left"),
    [
        # A constant
        ("Hello {{ a }} {% if n > 2 %}{{ price }}{% endif %}{% for x in xs %}{{ x.t }}{% endfor %}", []),
        ("{{ user.name }} {{ user.age }} {{ user.born }} {{ user }} {{ user.tags.0 }} {{ "
            "user.boss.name }}", ["Value"] * 6),
        ("{{ user.name|oneline }}{{ user.name|upper "
            "}}{{ a|default:user.name }}", ["Value", "Subtree", "Subtree"]),
        ("{% if n > 2 %}{{ user.name }}{% else %}{{ user.age }}{% endif %}", ["Value"]),  # decided once
        ("{% if user.vip %}{% for x in xs %}{{ x }}{% endfor %}{% else %}{{ a }}{% endif %}", ["Choice"]),
        ("{% if n > 5 %}1{% elif user.vip %}{{ user.name }}{% elif user.nick %}2{% else %}3{% "
            "endif %}", ["Choice"]),
        # Unrolled
        ("{% for x in xs %}{{ forloop.counter }}{{ x }}{{ user.name }}{% endfor %}", ["Value"] * 3),
        ("{% for x in xs %}{{ user.name|add:x.t }}{{ forloop.counter }}{% endfor %}", ["Subtree"] * 3),
        ("{% for x in xs %}{% if user.vip %}{{ forloop.counter }}{{ forloop.last }}{% endif "
            "%}{% endfor %}", ["Choice"] * 3),
        ("{% for x in xs %}{% if user.age == "
            "forloop.counter %}{{ x }}{% endif %}{% endfor %}", ["Choice"] * 3),
        (
            "{% for x in xs %}{% for p, q in pairs %}{% if user.age > "
                "forloop.parentloop.counter %}{{ q }}{% endif %}"
            "{% endfor %}{% endfor %}",
            ["Choice"] * 6,
        ),
        (
            "{% for x in pairs %}{% for y in pairs %}{{ "
                "user.name|default:forloop.parentloop.counter }}{% endfor %}{% endfor %}",
            ["Subtree"] * 4,
        ),
        ("{% for x in xs reversed %}{{ user.name }}{{ x.t }}{% empty %}{{ user.age }}{% endfor "
            "%}", ["Value"] * 3),
        ("{% for x in none %}{{ user.name }}{% empty %}{{ user.age }}{% endfor %}", ["Value"]),
        ("{% for t in user.tags %}{{ t }}{{ a }}{{ forloop.counter }}{% empty %}none{% endfor %}",
            ["Subtree"]),
        ("{% with y=a %}{{ y }}{{ user.name }}{% endwith %}{{ y }}", ["Value"]),
        ("{% with y=user.name z=a %}{{ y }}{{ z }}{% if y %}{{ z }}{% endif %}{{ b }}{% endwith "
            "%}{{ y }}", ["Binding"]),
        ("{% with y=user.boss %}{{ y.name }}{% with y=a %}{{ y }}{{ user.name }}{% endwith %}{{ "
            "y }}{% endwith %}", ["Binding"]),
        ("{% with user=user.boss %}{{ user.name }}{% endwith %}{{ user.name }}", ["Binding", "Value"]),
        ("{% with f=user.vip g=forloop %}{{ g }}{% endwith %}", ["Binding"]),
        ("{% spaceless %}<p> <b>{{ user.name }}</b> </p> {% endspaceless %}", ["Spaceless"]),
        ("{% firstof user.nick user.name a %}{% widthratio user.age 10 100 %}", ["Subtree", "Subtree"]),
        # The cycle is nobody's
        ("{% for x in xs %}{% cycle 'odd' 'even' %}{{ user.name }}{% endfor %}", ["Value"] * 3),
        ("{% for x in xs %}{% ifchanged x.k %}{{ x.k }}{% endifchanged %}{{ user.name }}{% "
            "endfor %}", ["Value"] * 3),
        ("{% for x in xs %}{% with g=forloop %}{{ user.name|default:g.counter }}{% endwith %}{% "
            "endfor %}", ["Subtree"] * 3),
        # What keeps a state that depends on the person keeps its whole loop.
        ("{{ user.name }}{% for x in xs %}{% cycle user.name 'even' %}{% endfor %}", ["Value", "Subtree"]),
        ("{{ user.name }}{% for x in xs %}{% if user.vip %}{% cycle 'a' 'b' %}{% endif %}{% "
            "endfor %}", ["Value", "Subtree"]),
        (
            "{{ user.name }}{% for x in xs %}{% if user.vip %}{% if n %}{% cycle 'a' 'b' %}{% "
                "endif %}{% endif %}{% endfor %}",
            ["Value", "Subtree"],
        ),
        ("{{ user.name }}{% for x in xs %}{% ifchanged x.k %}{{ user.name }}{% endifchanged "
            "%}{% endfor %}", ["Value", "Subtree"]),
        ("{% for x in xs %}{% for y in xs %}{% if user.vip %}{% cycle 'a' 'b' %}{% endif %}{% "
            "endfor %}{% endfor %}", ["Subtree"]),
        ("{{ a }}{% if n %}{% for x in xs %}{% firstof user.nick x.t as y %}{{ y }}{% endfor "
            "%}{% endif %}{{ y }}", ["Subtree"]),
        # What would leave such a state behind keeps everything.
        ("{{ user.name }}{% firstof user.nick 'friend' as y %}{{ y }}{{ a }}", ["Subtree"]),
        ("{% if user.vip %}{% now 'Y' as y %}{% endif %}{% if y %}{{ user.name }}{% endif %}", ["Subtree"]),
        ("{% with c='' %}{% for x in xs %}{% cycle user.name 'b' as c silent %}{% endfor %}{{ c "
            "}}{% endwith %}", ["Subtree"]),
        ("{{ user.name }}{% firstof a as user %}{{ user }}", ["Subtree"]),
        ("{% firstof a as y %}{{ y }}{{ user.name }}{% cycle 'a' 'b' as c %}{% cycle c %}{{ c }}", ["Value"]),
        # A name of the event's own
        ("{% for user in xs %}{{ user.t }}{% endfor %}{{ user.name }}", ["Value"]),
    ],
)  # fmt: skip
def test_only_what_reads_the_person_is_left_for_each_person(source, left):
    for html in (True, False):
        assert holes(check(source, html=html)) == left


def test_static_text_between_holes_is_one_string():
    specialised = check(
        "a{{ n }}b{% if n %}c{% endif %}{{ user.name }}d{% for x in xs %}{{ x }}{% endfor %}e"
    )
    assert [part for part in specialised.residue.parts if isinstance(part, str)] == ["a3bc", "donetwothreee"]


def test_what_only_some_people_get_fails_for_them_alone():
    part = compile_part(
        "{% if user.vip %}{% for x in big %}{% for y in big %}{% endfor %}{% endfor %}{% else "
        "%}ok{% endif %}",
        html=True,
    )
    specialised = specialise(part, {"big": [0] * 1000})
    assert specialised.render(BOB) == "ok"
    with pytest.raises(TemplateTooLarge):
        specialised.render(ANN)
    assert specialised.render(BOB) == "ok"
    check("{% if user.vip %}{{ n|divisibleby:0 }}{% endif %}{{ a }}")
    check(
        "{% if user.no %}{% for p, q in pairs %}{{ n|divisibleby:0 }}{% endfor %}{% endif %}{{ "
        "forloop.counter }}{{ user.name }}"
    )
    check("{% for x in xs %}{% if user.vip %}{% for p, q in xs %}{% endfor %}{% endif %}{{ x }}{% endfor %}")


@pytest.mark.parametrize(
    "around",
    [
        "%s",
        "{%% if user.vip %%}%s{%% endif %%}",
        "{%% with y=user.name %%}%s{%% endwith %%}",
        "{%% spaceless %%}%s{%% endspaceless %%}",
    ],
)
@pytest.mark.parametrize(
    "source",
    [
        "{% for x in big %}{{ user.name }}{% endfor %}",
        "{% for x in big %}{% endfor %}{% for x in big %}{% if user.vip %}{% for y in xs %}{% "
            "endfor %}{% endif %}{% endfor %}",
        "{% for x in big %}{% endfor %}{% for x in half %}{% endfor %}{% for x in few %}{{ "
            "user.name }}{% endfor %}",
        "{% for x in big %}{% endfor %}{% for x in half %}{% endfor %}{% if user.vip %}{% for "
            "x in few %}{% endfor %}{% endif %}",
        "{% for x in big %}{% for t in user.tags %}{{ t }}{% endfor %}{% endfor %}",
        "{{ long }}{{ user.name }}",  # 3 bytes left
        "{{ long }}{{ user.name|upper }}",
        "{% for x in big %}{% cycle 'a' user.name %}{{ long }}{% endfor %}",
        "{% ifchanged %}{{ long }}{% endifchanged %}{{ user.name }}",
        "{% for x in half %}" + "y" * 60 + "{% if user.vip %}{{ x }}{% endif %}{% endfor %}",
    ],
)  # fmt: skip
def test_the_bounds_are_the_same(source, around):
    data = {
        "big": [0] * 5_000,
        "half": [0] * 4_300,
        "few": [0] * 1_000,
        "long": "x" * (256 * 1024 - 3),
        "xs": [1, 2],
    }
    check(around % source, data)


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in big %}{{ user.name }}{% endfor %}",  # more holes than are worth keeping
        # Branches that nobody may take.
        "{% for x in few %}{% if user.vip %}{% for y in big %}{{ y }}{% endfor %}{% endif %}{% endfor %}",
        "{% for x in few %}{% if user.no %}" + "z" * 60_000 + "{% endif %}{% endfor %}",
    ],
)
def test_specialising_takes_no_more_memory_than_it_is_worth(source):
    specialised = check(source, {"big": [0] * 5_000, "few": [0] * 100})
    assert [type(hole) for _, hole in specialised.residue.holes] == [Subtree]


def test_a_specialised_part_serves_many_people_and_keeps_nothing_of_them():
    specialised = check(
        "{% with y=user.name %}{{ y }}{% for t in user.tags %}{{ y }}{% endfor %}{% endwith %}"
        "{% for x in xs %}{% cycle user.name 'b' %}{% endfor %}"
    )
    assert specialised.render(ANN) == specialised.render(ANN)
    assert "Ann" not in specialised.render(BOB)


# A grammar of nodes: every kind, with the person anywhere in it.
NAMED = """
    a b n price missing xs.0 xs.1.t x x.t y y.name user user.name user.nick user.age user.born user.tags
        user.boss.name
    forloop.counter forloop.last forloop.parentloop.counter user.missing 'text' 5
"""
VALUES = st.sampled_from(NAMED.split())
EXPRESSIONS = st.builds(
    lambda value, filter_: f"{value}{filter_}",
    VALUES,
    st.sampled_from(
        [
            "",
            "",
            "",
            "|upper",
            "|oneline",
            "|default:user.name",
            "|default:a",
            "|length",
            "|add:y",
            "|first",
            "|lines",
        ]
    ),
)
LISTS = st.sampled_from(["xs", "pairs", "missing", "user.tags", "xs|slice:':2'", "x"])
TESTS = st.one_of(
    EXPRESSIONS,
    st.builds(
        "{} {} {}".format, EXPRESSIONS, st.sampled_from(["==", "!=", ">", "in", "and", "or"]), EXPRESSIONS
    ),
)
NAMES = st.sampled_from(["x", "y", "user", "a"])


LEAVES = st.one_of(
    st.sampled_from(["plain ", "<p> ", " </p>", "\n"]),
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    st.builds("{{% firstof {} {} %}}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("{{% firstof {} {} as {} %}}".format, EXPRESSIONS, EXPRESSIONS, NAMES),
    st.builds("{{% cycle {} {} %}}".format, VALUES, VALUES),
    st.builds("{{% cycle {} {} as {} silent %}}".format, VALUES, VALUES, NAMES),
    st.builds("{{% widthratio {} 10 100 %}}".format, VALUES),
)


def wider(inner):
    body = st.lists(inner, max_size=4).map("".join)
    return st.one_of(
        st.builds(
            "{{% if {} %}}{}{{% elif {} %}}{}{{% else %}}{}{{% endif %}}".format,
            TESTS,
            body,
            TESTS,
            body,
            body,
        ),
        st.builds("{{% for {} in {} %}}{}{{% empty %}}{}{{% endfor %}}".format, NAMES, LISTS, body, body),
        st.builds("{{% for {} in {} reversed %}}{}{{% endfor %}}".format, NAMES, LISTS, body),
        st.builds("{{% for x, y in pairs %}}{}{{% endfor %}}".format, body),
        st.builds("{{% with {}={} %}}{}{{% endwith %}}".format, NAMES, EXPRESSIONS, body),
        st.builds("{{% with y={} x={} %}}{}{{% endwith %}}".format, EXPRESSIONS, EXPRESSIONS, body),
        st.builds("{{% spaceless %}}{}{{% endspaceless %}}".format, body),
        st.builds("{{% ifchanged %}}{}{{% endifchanged %}}".format, body),
        st.builds("{{% ifchanged {} %}}{}{{% else %}}{}{{% endifchanged %}}".format, VALUES, body, body),
    )


TEMPLATES = st.lists(st.recursive(LEAVES, wider, max_leaves=25), max_size=6).map("".join)


@settings(max_examples=full_or(100, full=300), deadline=None)
@given(
    TEMPLATES,
    st.booleans(),
    st.dictionaries(
        st.sampled_from(["a", "b", "n", "xs", "y"]),
        st.sampled_from(["<v>", 0, None, [], ["i"], [[1, 2]], FrozenObject({"": "o", "name": "&"})]),
    ),
)
def test_specialised_and_plain_rendering_are_the_same(source, html, changed):
    check(source, DATA | changed, html=html)
