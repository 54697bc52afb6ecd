"""A name that would always give nothing is refused where it is saved, with what there is instead; what people
expect of a list and of a file is there.
"""

import datetime as dt

import pytest
from django.contrib.postgres import fields as postgres
from django.core.exceptions import ValidationError
from django.db import models

from notifier import emit_bulk
from notifier.exceptions import UnreadablePath
from notifier.explaining import preview, samples
from notifier.models import Audience, Event, Subscription, TemplateContent, Trigger
from notifier.rules.value_paths import check_value
from notifier.templating import snapshot
from notifier.templating.compiler import compile_part
from notifier.templating.parts import kind_of
from notifier.testing import capture_notifications
from tests.app.models import Customer, Line, Order, Photo
from tests.support.builders import make_audience, make_subscription, make_template, make_trigger, make_user

pytestmark = pytest.mark.one_database

REFUSED = [
    # a model, a path that always gives nothing, what its refusal says
    ("shop.parcel", "instance.sent_at.year", 'has no “year”. Write instance.sent_at|date:"Y".'),
    ("shop.parcel", "instance.sent_at.date", 'Write instance.sent_at|date:"Y-m-d".'),
    ("shop.parcel", "instance.sent_at.hour", 'Write instance.sent_at|date:"H".'),
    ("shop.parcel", "instance.sent_at.weekday", 'Write instance.sent_at|date:"l".'),
    ("shop.parcel", "instance.due_on.month", 'Write instance.due_on|date:"n".'),
    ("shop.parcel", "instance.due_on.isoformat", 'Write instance.due_on|date:"c".'),
    ("shop.parcel", "instance.due_time.minute", "is a time"),
    ("shop.parcel", "instance.travel.days", "is a duration"),
    ("shop.parcel", "instance.travel.total_seconds", "is a duration"),
    ("shop.parcel", "instance.label.upper", "Write instance.label|upper."),
    ("shop.parcel", "instance.label.length", "Write instance.label|length."),
    ("shop.parcel", "instance.label.strip", "Write instance.label alone, or with a filter."),
    ("shop.parcel", "instance.price.quantize", "is a number"),
    ("shop.parcel", "instance.weight.is_integer", "is a number"),
    ("shop.parcel", "instance.size.label", "is a number"),
    ("shop.parcel", "instance.tracking.hex", "is a UUID"),
    ("shop.parcel", "instance.pk.real", "is a number"),
    ("shop.parcel", "instance.id.real", "is a number"),
    ("shop.parcel", "instance.order_id.hex", "is a UUID"),
    ("shop.parcel", "instance.order_id.number", "is a UUID"),
    ("shop.parcel", "instance.get_size_display.upper", "Write instance.get_size_display|upper."),
    ("shop.parcel", "instance.get_label_display", "nothing called “get_label_display”"),  # no choices
    ("shop.parcel", "instance.unlisted", "has nothing called “unlisted”"),
    ("shop.parcel", "instance.destroy", "has nothing called “destroy”"),
    ("shop.parcel", "instance.order.total.real", "“instance.order.total.real”"),
    ("shop.parcel", "instance.order.get_absolute_url.upper", "is text"),
    ("shop.parcel", "instance.price.0", "there is no first or next one in it"),
    ("shop.parcel", "previous.sent_at.year", '“previous.sent_at.year”'),
    ("shop.photo", "instance.file.size", "instance.file is a file, which has no “size”. It has: url, name."),
    ("shop.photo", "instance.file.path", "Write instance.file.url."),
    ("shop.photo", "instance.file.url.upper", "“instance.file.url.upper”"),
    ("shop.photo", "previous.file.url", "“previous.file.url”"),  # of a row there was its name
    ("shop.order", "instance.lines.first.name", "write instance.lines.all.first, not instance.lines.first"),
    ("shop.order", "instance.lines.name", "write instance.lines.all, not instance.lines.name"),
    ("shop.order", "instance.lines", "write instance.lines.all, not instance.lines"),
    ("shop.order", "instance.lines.all.name", "{% for each in instance.lines.all %}"),
    ("shop.order", "instance.lines.all.length", "It has: count, exists, first, last"),
    ("shop.order", "instance.lines.all.filter", "It has: count, exists, first, last"),
    ("shop.order", "instance.lines.all.first.nonsense", "has nothing called “nonsense”"),
    ("shop.order", "instance.lines.all.last.name.upper", "Write instance.lines.all.name|upper."),
    ("shop.order", "instance.lines.all.0.name.upper", "Write instance.lines.all.name|upper."),
    ("shop.order", "instance.lines.all.count.real", "“instance.lines.all.count.real”"),
    ("shop.order", "instance.watchers.values", "write instance.watchers.all"),
    ("demo.post", "user.date_joined.year", 'Write user.date_joined|date:"Y".'),
    ("demo.post", "user.email.lower", "Write user.email|lower."),
]  # fmt: skip


def trigger_of(model, **values):
    return Trigger(name="t", verb="post_save", model=model, **values)


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "path", "words"), REFUSED)
def test_a_text_that_names_what_always_gives_nothing_is_refused(model, path, words):
    trigger = make_trigger(model=model, contents={"email": {"text": "ok"}})
    content = TemplateContent.objects.get(template__subscriptions__trigger=trigger)
    for part in ("subject", "text", "html"):
        setattr(content, part, f"{{{{ {path} }}}}")
        with pytest.raises(ValidationError) as refused:
            content.full_clean()
        assert words in str(refused.value.message_dict[part])
        setattr(content, part, "ok")
    content.text = f"{{% if {path} %}}x{{% endif %}}{{% with a={path} %}}{{% endwith %}}"
    assert words in preview.preview(content).errors[0].text


@pytest.mark.parametrize(
    ("model", "path", "words"), [row for row in REFUSED if not row[1].startswith("user")]
)
def test_a_condition_that_names_it_is_refused(model, path, words):
    with pytest.raises(ValidationError) as refused:
        trigger_of(model, condition=f"{path} == 2026").clean()
    assert words in str(refused.value.message_dict["condition"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "path", "words"),
    [row for row in REFUSED if "instance." in row[1] and ".0" not in row[1] and row[1] != "instance.lines"],
)  # fmt: skip
def test_an_audience_that_names_it_is_refused(model, path, words):
    audience = Audience(name="a", paths=path)
    assert words in str(audience.problems_with(trigger_of(model)))


@pytest.mark.django_db
def test_a_subscription_of_a_template_that_names_it_is_refused():
    template = make_template({"email": {"text": "{{ instance.sent_at.year }}"}})
    trigger = make_trigger(subscribe=False, model="shop.parcel")
    with pytest.raises(ValidationError, match="sent_at"):
        Subscription(trigger=trigger, template=template, channels=["email"]).full_clean()


NOBODY = [
    # a path of an audience on a parcel, or None where it names somebody
    ("instance.price", "is a number: it names no person"),
    ("instance.sent_at", "is a date with a time"),
    ("instance.order_id", "is a UUID"),
    ("instance.pk", "is a number"),
    ("instance.order", "leads to order, which is no person"),
    ("instance.order.customer", "leads to customer"),
    ("instance.order.lines", "leads to line"),
    ("instance.order.watchers.all", "write instance.order.watchers alone"),
    ("instance.order.watchers.all.first", "write instance.order.watchers alone"),
    ("instance.order.watchers.email", "write instance.order.watchers.all"),
    ("instance.order.owner", None),
    ("instance.order.owner.email", None),
    ("instance.order.watchers", None),
    ("instance.order.contact_email", None),
    ("instance.details.email", None),
    ("instance.recipients", None),  # the model's own affair
    ("actor_object", None),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "words"), NOBODY)
def test_an_audience_that_names_nobody_is_refused(path, words):
    problems = Audience(name="a", paths=path).problems_with(trigger_of("shop.parcel"))
    assert words in str(problems) if words else problems == []


GIVEN = [
    # what a template says of an order with the lines Shirt and Sheet, what comes out
    ("{{ instance.lines.all.count }} {{ instance.lines.count }}", "2 2"),
    ("{% if instance.lines.exists %}yes{% endif %}{{ instance.lines.all.exists|yesno }}", "yesyes"),
    ("{{ instance.lines.all.first.name }} {{ instance.lines.all.last.name }}", "Shirt Sheet"),
    ("{{ instance.lines.all.count }} {{ instance.lines.all|length }}", "2 2"),
    ("{% with lines=instance.lines.all %}{{ lines.count }} {{ lines.first.name }}{% endwith %}", "2 Shirt"),
    ("{% with l=instance.lines.all %}{{ l.count }}{% for e in l %}.{% endfor %}{% endwith %}", "2.."),
    ("{{ instance.lines.all.first }}", "{first}"),
    ("{{ instance.watchers.count }} {{ instance.watchers.all.first.username }}", "0 "),
    ("{{ instance.customer.order_set.count }}", "1"),
    ("{{ instance.number|first }} {% for each in instance.number %}{{ each }}.{% endfor %}", "1 1.7."),
]  # fmt: skip


@pytest.fixture
def order(db):
    order = Order.objects.create(number="17", customer=Customer.objects.create(first_name="Ada"))
    for name in "Shirt", "Sheet":
        Line.objects.create(order=order, name=name)
    return order


def message_of(text, *, model, act):
    audience = make_audience(users=[make_user()])
    trigger = make_trigger(model=model, contents={"email": {"text": f"<{text}>"}}, audiences=[audience])
    TemplateContent.objects.get(template__subscriptions__trigger=trigger).full_clean()
    with capture_notifications() as sent:
        act()
    (message,) = sent
    return message.text[1:-1]


@pytest.mark.parametrize(("text", "expected"), GIVEN)
def test_what_is_expected_of_a_list_is_there(order, text, expected):
    shown = expected.format(first=order.lines.first())
    assert message_of(text, model="shop.order", act=order.save) == shown


def test_it_is_there_for_many_at_once(order):
    text = "{{ instance.lines.count }} {{ instance.lines.all.count }} {{ instance.lines.all|length }}"
    act = lambda: emit_bulk(Order.objects.all(), created=False)  # noqa: E731
    assert message_of(text, model="shop.order", act=act) == "2 2 2"


def test_of_many_all_are_counted_and_none_is_read(order):
    Line.objects.bulk_create(Line(order=order, name=str(number)) for number in range(snapshot.MAX_ITEMS))
    whole = snapshot.MAX_ITEMS + 2
    paths = compile_part("{{ instance.lines.all.count }}", html=False).paths
    frozen = snapshot.freeze({"instance": order}, paths)["instance"]["lines"]
    assert frozen == {"count": whole, "all": {"count": whole}}
    text = "{{ instance.lines.all.count }} {{ instance.lines.all|length }}"
    assert message_of(text, model="shop.order", act=order.save) == f"{whole} {snapshot.MAX_ITEMS}"
    act = lambda: emit_bulk(Order.objects.all(), created=False)  # noqa: E731
    Trigger.objects.all().delete()
    assert message_of(text, model="shop.order", act=act) == f"{whole} {snapshot.MAX_ITEMS}"


@pytest.mark.django_db
def test_of_a_new_object_there_are_none():
    act = lambda: Order.objects.create(number="18")  # noqa: E731
    assert message_of("{{ instance.lines.count }}", model="shop.order", act=act) == "0"


FILES = [
    # what a template says of a photo with a file, and without one
    ("{{ instance.file.url }}", "/media/a%20b.png", ""),
    ("{{ instance.file.name }} {{ instance.file }}", "a b.png a b.png", " "),
    ("{% if instance.file %}{{ instance.file.url }}{% else %}none{% endif %}", "/media/a%20b.png", "none"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("text", "with_file", "without"), FILES)
def test_a_file_has_its_address_and_its_name(text, with_file, without, settings):
    settings.MEDIA_URL = "/media/"
    photo = Photo.objects.create(title="p", file="a b.png")
    empty = Photo.objects.create(title="e")
    assert message_of(text, model="shop.photo", act=photo.save).endswith(with_file)
    Trigger.objects.all().delete()
    assert message_of(text, model="shop.photo", act=empty.save) == without


CONDITIONS = [
    # a condition on an order with two lines, whether it holds; None where it is refused
    ("instance.lines.count == 2", True),
    ("instance.lines.all.count > 2", False),
    ("instance.lines.exists", True),
    ("instance.watchers.exists", False),
    ('instance.lines.count == "2"', None),
    ('instance.lines.exists == "yes"', None),
]


@pytest.mark.parametrize(("condition", "holds"), CONDITIONS)
def test_a_condition_may_ask_how_many_there_are(order, condition, holds):
    trigger = trigger_of("shop.order", condition=condition)
    if holds is None:
        with pytest.raises(ValidationError, match="cannot compare them"):
            trigger.clean()
        return
    trigger.full_clean()
    trigger.save()
    make_subscription(trigger)
    order.save()
    assert Event.objects.exists() is holds


SAMPLES = [
    # a template's source, the model, what its preview makes up
    ("{{ instance.lines.all.count }} {{ instance.lines.count }}", "shop.order", "2 2"),
    ("{{ instance.lines.all.first.name }}", "shop.order", "Example line"),
    (
        "{{ instance.file.url }} {{ instance.file }}",
        "shop.photo",
        "https://example.com/example.pdf example.pdf",
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("source", "model", "shown"), SAMPLES)
def test_made_up_data_has_them(source, model, shown):
    part = compile_part(source, html=False)
    assert part.render(samples.sample_data(part.paths, trigger_of(model))) == shown


class Text(models.CharField):
    """A field of somebody's own, which stores text and gives what it likes."""

    def from_db_value(self, value, expression, connection):
        return {"area": value}


FIELDS = [
    # a field, a tree that is read of it, whether it is refused
    (postgres.ArrayField(models.DateField()), {"*": {"": {}}}, False),
    (postgres.ArrayField(models.DateField()), {"*": {"year": {}}}, True),
    (postgres.ArrayField(models.DateField()), {"count": {}, "first": {}, "last": {}}, False),
    (postgres.ArrayField(models.DateField()), {"first": {"year": {}}}, True),
    (postgres.ArrayField(models.DateField()), {"append": {}}, True),
    (postgres.HStoreField(), {"anything": {}}, False),
    (postgres.DateRangeField(), {"lower": {"": {}}, "upper": {}}, False),
    (postgres.DateRangeField(), {"lower": {"year": {}}}, True),
    (postgres.IntegerRangeField(), {"contains": {}}, True),
    (models.JSONField(), {"a": {"*": {"b": {}}}}, False),
    (
        models.GeneratedField(expression=models.F("x"), output_field=models.DateField(), db_persist=True),
        {"year": {}},
        True,
    ),
    (models.BooleanField(), {"real": {}}, True),
    (models.BinaryField(), {"hex": {}}, True),
    (models.GenericIPAddressField(), {"version": {}}, True),
    (models.URLField(), {"netloc": {}}, True),
    (models.SlugField(), {"*": {"": {}}}, False),  # its characters
    (Text(), {"area": {}}, False),  # nobody knows here what it gives
]  # fmt: skip


@pytest.mark.parametrize(("field", "tree", "is_refused"), FIELDS)
def test_each_type_of_field_has_its_own_parts(field, tree, is_refused):
    try:
        check_value(kind_of(field), tree, "instance.x")
    except UnreadablePath:
        assert is_refused
    else:
        assert not is_refused


class Range:
    lower, upper, isempty = dt.date(2026, 1, 1), None, False

    def __str__(self):
        return "[2026-01-01,)"


def test_a_range_has_its_two_ends():
    paths = compile_part("{{ span }} {{ span.lower|date:'Y' }} {{ span.upper }}", html=False).paths
    frozen = snapshot.freeze({"span": Range()}, paths)
    assert frozen == {"span": {"": "[2026-01-01,)", "lower": dt.date(2026, 1, 1), "upper": None}}
