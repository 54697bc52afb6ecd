"""Made-up data by the fields of the models, and what a preview makes of it: never another's data, never
without bounds.
"""

import datetime as dt
from decimal import Decimal

import pytest

from notifier.explaining import preview, samples
from notifier.models import ContactPoint, TemplateContent
from notifier.templating.compiler import compile_part
from tests.support.builders import make_event, make_template, make_trigger, make_user
from tests.support.effort import at_most

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


def sample(source, **trigger):
    """What ``source`` is with made-up data for a trigger of such values."""
    part = compile_part(source, html=False)
    return part.render(samples.sample_data(part.paths, make_trigger(**trigger) if trigger else None))


SAMPLES = [
    # a template's source, the trigger's model, what is shown
    ("{{ instance.title }}", "demo.post", "Example post"),
    ("{{ instance }}", "demo.post", "Example post"),
    ("{{ instance.body }}", "demo.post", "Body"),
    ("{{ instance.discount_percent }} {{ instance.url }}", "demo.flashsale", "30 https://example.com/"),
    ("{{ instance.ends_at|date:'H:i' }}", "demo.flashsale", "18:00"),
    ("{{ instance.status }} {{ instance.get_status_display }}", "shop.order", "new New order"),
    ("{{ instance.total }}", "shop.order", "49.90"),
    ("{{ instance.number }}", "shop.order", "Number"),
    ("{{ instance.customer.first_name }}", "shop.order", "First name"),
    ("{{ instance.owner.first_name }} {{ instance.owner.get_full_name }}", "shop.order", "Ada Ada Lovelace"),
    (
        "{% for line in instance.lines.all %}[{{ line.name }}]{% endfor %}",
        "shop.order",
        "[Example line][Example line]",
    ),
    ("{{ instance.lines.all|length }}", "shop.order", "2"),
    ("{{ instance.get_absolute_url }}", "shop.order", "https://example.com/"),
    ("{{ instance.customer_id }}", "shop.order", "1"),
    ("{{ instance.summary }}", "shop.parcel", "Summary"),
    ("{{ instance.details.colour }}", "shop.parcel", "Colour"),
    ("{{ verb }} {{ created }}", "demo.post", "post_save True"),
    ("{{ target.nick_name }} {{ target }}", "demo.post", "Nick name Target"),
    ("{{ actor_object.username }}", "demo.post", "ada"),
    ("{{ anything.first.1.two }}", None, "Two"),
]


@pytest.mark.parametrize(("source", "model", "shown"), SAMPLES)
def test_made_up_data_is_of_the_types_of_the_models_fields(source, model, shown):
    assert sample(source, **({"model": model, "subscribe": False} if model else {})) == shown


def test_made_up_data_has_values_for_filters_and_conditions():
    tree = compile_part("{{ instance.total }}{{ instance.placed_at }}", html=False).paths
    found = samples.sample_data(tree, make_trigger(model="shop.order", subscribe=False))["instance"]
    assert type(found["total"]) is Decimal
    assert type(found["placed_at"]) is dt.datetime


def test_made_up_lists_within_lists_stay_small():
    """Two items in each of twenty would be a million."""
    source = "{{ x." + ".".join("0" * 20) + " }}"
    with at_most(seconds=1):
        assert sample(source) == "X"


HELD = [
    # what the event holds, what is made up, what comes of it, what is said to be made up
    ({"a": 1}, {"a": 2}, {"a": 1}, []),
    ({}, {"a": {"b": 2}}, {"a": {"b": 2}}, ["a"]),
    ({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, {"a": {"b": 1, "c": 3}}, ["a.c"]),
    ({"a": None}, {"a": {"b": 2}}, {"a": None}, []),  # it had none, which is worth seeing
    (
        {"a": [{"b": 1}, {"b": 2}]},
        {"a": [{"b": 0, "c": 9}]},
        {"a": [{"b": 1, "c": 9}, {"b": 2, "c": 9}]},
        ["a.c"],
    ),
    ({"a": []}, {"a": [1, 2]}, {"a": []}, []),
]


@pytest.mark.parametrize(("held", "made_up", "filled", "names"), HELD)
def test_an_event_is_filled_up_with_what_it_does_not_hold(held, made_up, filled, names):
    assert samples.fill(held, made_up) == (filled, names)


# Previews


def content(*, template=None, channel="email", **parts):
    return TemplateContent(channel=channel, **({"template": template} if template else {}), **parts)


def test_a_preview_from_an_event_shows_what_the_event_holds_and_names_what_is_made_up():
    event = make_event(
        contents={"email": {"text": "{{ instance.title }}"}}, data={"instance": {"title": "Linen"}}
    )
    template = event.trigger.subscriptions.get().template
    found = preview.preview(
        content(template=template, text="{{ instance.title }}, {{ instance.body }}"), event=event
    )
    assert (found.parts["text"], found.made_up) == ("Linen, Body", ["instance.body"])


def test_a_preview_is_for_the_editor_or_a_made_up_person_and_nobody_else():
    make_user(first_name="Somebody else")
    editor = make_user(first_name="Robin")
    typed = content(text="Hello {{ user.first_name }}")
    assert preview.preview(typed, person=editor).parts["text"] == "Hello Robin"
    assert preview.preview(typed).parts["text"] == "Hello Ada"


def test_a_blank_text_is_made_from_the_html_as_when_it_is_sent():
    assert preview.preview(content(html="<p>Hello <b>you</b></p>")).parts["text"] == "Hello you"


def test_names_that_a_trigger_does_not_have_are_said_with_the_trigger():
    trigger = make_trigger()
    template = trigger.subscriptions.get().template
    [fault] = preview.preview(content(template=template, text="{{ instance.titel }}")).errors
    assert fault.part == "text"
    assert "“instance.titel”" in fault.text
    assert fault.text.endswith(f"(Trigger “{trigger}”.)")


def test_a_trigger_that_sends_by_another_channel_does_not_matter():
    template = make_trigger().subscriptions.get().template
    assert not preview.preview(content(template=template, channel="sms", text="{{ instance.titel }}")).errors


LINTED = [
    # channel, parts, errors, warnings
    ("sms", {"text": " "}, 1, 0),
    ("sms", {"text": "x" * 1601}, 1, 1),
    ("twitter", {"text": "x" * 281}, 1, 0),
    # It depends on the data: it may be another text
    ("twitter", {"text": "x" * 281 + "{{ instance.title }}"}, 0, 1),
    ("sms", {"text": "{% if instance.title == 'x' %}y{% endif %}"}, 0, 1),
    ("email", {"html": "<p>Hello</p>", "subject": "Hi"}, 0, 1),
    ("email", {"text": "{% for %}"}, 1, 0),
    ("email", {"text": "{{ instance.title|floatformat:1000 }}"}, 1, 0),
    ("", {"text": "No channel yet"}, 0, 0),
]


@pytest.mark.parametrize(("channel", "parts", "errors", "warnings"), LINTED)
def test_what_would_always_be_refused_is_an_error_and_all_else_a_warning(channel, parts, errors, warnings):
    found = preview.lint(content(channel=channel, **parts))
    assert [len(problems) for problems in found] == [errors, warnings]


HOSTILE = [
    # what a template does to run for ever, or to fill the memory
    "{% for a in 'xxxxxxxxxxxxxxxxxxxx' %}" * 20 + "x" + "{% endfor %}" * 20,
    "{% for a in list %}" * 8 + "x" * 1000 + "{% endfor %}" * 8,
    "{% with a='"
    + "x" * 1000
    + "' %}"
    + "".join(f"{{% with a=a|add:a %}}{{# {n} #}}" for n in range(25))
    + "{{ a }}"
    + "{% endwith %}" * 26,
    "<table><tr><td>" * 4000,
    "<div>" * 12_000,
    "x" * 70_000,
    "{{ " + ".".join("a" * 25) + " }}",
    "{{ x|" + "|".join(["upper"] * 20_000) + " }}",
]


@pytest.mark.parametrize("source", HOSTILE, ids=lambda source: source[:20])
@pytest.mark.parametrize("part", ["text", "html"])
def test_a_hostile_template_is_previewed_or_refused_within_seconds(part, source):
    """By the engine's own bounds: 64 KB of source, 10,000 rounds, 256 KB of output."""
    with at_most(seconds=5):
        preview.preview(content(**{part: source}))


# Where it would go


def test_the_editors_own_address_is_found_as_a_fan_out_would():
    user = make_user(email=" robin@example.com ")
    assert preview.own_address(user, "email") == "robin@example.com"
    assert preview.own_address(user, "sms") == ""
    assert preview.own_address(user, "twitter") == ""
    point = ContactPoint.objects.create(user=user, channel="email", address="other@example.com")
    assert preview.own_address(user, "email") == "other@example.com"
    ContactPoint.objects.filter(pk=point.pk).update(verified=False)
    assert preview.own_address(user, "email") == ""


def test_the_last_ten_events_of_a_templates_triggers_are_offered_newest_first():
    event = make_event()
    template = event.trigger.subscriptions.get().template
    for _ in range(11):
        event.pk = None
        event.save(force_insert=True)
    make_event()
    found = preview.recent_events(template.pk)
    assert len(found) == 10
    assert [each.pk for each in found] == sorted((each.pk for each in found), reverse=True)
    assert {each.trigger_id for each in found} == {event.trigger_id}
    assert preview.recent_events(make_template().pk) == []


def test_braces_that_a_value_holds_or_that_are_shown_on_purpose_are_warned_of():
    literal = content(text="{% verbatim %}{{ name }}{% endverbatim %}")
    assert [(each.part, each.text) for each in preview.lint(literal)[1] if "shows" in each.text] == [
        ("text", "It shows “{{ name }}” as it stands.")
    ]
    event = make_event(data={"title": "Hi {{ name"})
    found = preview.preview(content(subject="{{ title }}", html="<p>{{ title }}</p>"), event=event)
    assert [each.part for each in found.examination.problems if "“{{ name" in each.text] == [
        "subject", "text", "html"
    ]  # fmt: skip
    assert not any(each.is_error for each in found.examination.problems)
