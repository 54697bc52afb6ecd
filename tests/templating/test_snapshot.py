"""An event holds what its templates read, as plain data of that moment, and nothing that is a secret or a
call.
"""

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe

from notifier.channels.site_address import site_address
from notifier.exceptions import TemplateRefused, UnreadablePath
from notifier.models import Event, Trigger
from notifier.rules import offers
from notifier.templating import readable, snapshot
from notifier.templating.contents import compile_content
from notifier.testing import assert_notified, capture_notifications
from project.demo.models import Post, Profile
from tests.app.models import Company, Customer, Line, Order, Parcel
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.observing import data_of_the_event, register
from tests.support.statements import statements

pytestmark = pytest.mark.one_database

KEY = uuid.UUID("0f36bd71-52c2-4a0e-9c5f-3f6c1b7d2c11")
UTC_2 = dt.timezone(dt.timedelta(hours=2))


def freeze(text, **context):
    """What an event stores of the live objects for a template with this text."""
    return snapshot.freeze(context, compile_content("", text, "").paths)


def stored(data):
    """``data`` as it comes back from the database."""
    return json.loads(json.dumps(data, cls=snapshot.Encoder), cls=snapshot.Decoder)


@pytest.fixture
def order(db):
    ada = make_user(username="ada", first_name="Ada", last_name="Lovelace", email="ada@example.com")
    customer = Customer.objects.create(first_name="Grace")
    order = Order.objects.create(id=KEY, number="17", customer=customer, owner=ada, total=Decimal("12.50"))
    order.watchers.set([ada, make_user(username="bo")])
    for name in "Shirt", "Sheet":
        Line.objects.create(order=order, name=name)
    return Order.objects.get(pk=KEY)


PATHS = [
    # what a template says, what it says when it is rendered
    ("{{ instance.number }}", "17"),  # a field
    ("{{ instance.pk }}", str(KEY)),
    ("{{ instance }}", "Order 17"),  # the object itself: its str
    ("{{ instance.customer.first_name }}", "Grace"),  # a foreign key
    ("{{ instance.customer_id }}", "{customer}"),  # its column
    ("{{ instance.owner.get_full_name }}", "Ada Lovelace"),
    ("{{ instance.owner.get_short_name }}", "Ada"),
    ("{{ instance.owner }}", "ada"),
    ("{{ instance.get_status_display }}", "New order"),
    ("{{ instance.status }}", "new"),
    ("{{ instance.get_absolute_url }}", f"{{site}}/orders/{KEY}/"),  # a mail leaves the site
    ("{{ instance.total|floatformat:1 }}", "12.5"),
    # A reverse relation
    ("{% for line in instance.lines.all %}{{ line.name }} {% endfor %}", "Shirt Sheet "),
    ("{% for each in instance.watchers.all %}{{ each.username }} {% endfor %}", "ada bo "),  # many to many
    ("{{ instance.lines.all|length }}", "2"),
    ("{{ instance.lines.all.0.name }}", "Shirt"),
    ("{% with first=instance.lines.all|first %}{{ first.name }}{% endwith %}", "Shirt"),
    ("{% for line in instance.lines.all %}{{ line.order.customer.first_name }} {% endfor %}", "Grace Grace "),
    ("{{ instance.customer.order_set.all.0.number }}", "17"),  # there and back
    ("{% if instance.owner == instance.watchers.all.0 %}same{% endif %}", "same"),  # an object equals itself
    ("{{ action_object.number }} {{ verb }}", "17 post_save"),
    ("{{ instance.placed_at|date:'Y' }}", ""),  # None
]


@pytest.mark.parametrize(("text", "expected"), PATHS)
def test_what_a_template_names_is_frozen_and_rendered_from_plain_data(order, text, expected):
    boss = make_user(email="boss@example.com")
    make_trigger(
        model="shop.order", contents={"email": {"text": f"<{text}>"}}, audiences=[make_audience(users=[boss])]
    )
    with capture_notifications() as sent:
        order.save()
    assert [message.text for message in sent] == [
        f"<{expected.format(customer=order.customer_id, site=site_address())}>"
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        "{{ instance.customer.first_name }}",  # a relation that leads nowhere
        "{{ instance.owner.get_full_name }}",
        "{{ instance.owner.profile.phone }}",
        "{% for line in instance.lines.all %}{{ line.name }}{% endfor %}",  # an empty list
        "{{ instance.lines.all.0.name }}",
        "{{ actor_object.first_name }}",  # nobody is known
        "{{ target }}",
    ],
)
def test_what_is_not_there_is_nothing(text):
    make_trigger(
        model="shop.order",
        contents={"email": {"text": f"<{text}>"}},
        audiences=[make_audience(users=[make_user()])],
    )
    with capture_notifications() as sent:
        Order.objects.create(number="18")
    assert [message.text.replace("None", "") for message in sent] == ["<>"]


@pytest.mark.django_db
def test_a_reverse_one_to_one_relation_is_followed_where_it_leads_somewhere():
    ada, bo = make_user(username="ada"), make_user(username="bo")
    Profile.objects.create(user=ada, phone="+4930123456")
    assert (
        freeze("{{ instance.profile.phone }}", instance=ada)["instance"]["profile"]["phone"] == "+4930123456"
    )
    assert freeze("{{ instance.profile.phone }}", instance=bo)["instance"]["profile"] is None


@pytest.mark.django_db
def test_only_what_the_template_names_is_stored(order):
    frozen = freeze("{{ instance.number }} {{ instance.owner.first_name }}", instance=order, target="Berlin")
    assert frozen == {
        "instance": {
            "model": "shop.order",
            "pk": KEY,
            "number": "17",
            "owner": {"model": "auth.user", "pk": order.owner_id, "first_name": "Ada"},
        }
    }


@pytest.mark.django_db
def test_what_a_model_lists_for_events_is_stored_and_what_it_does_not_list_is_not():
    parcel = Parcel.objects.create(label="Books", size=Parcel.Size.LARGE)
    frozen = freeze("{{ instance.summary }} {{ instance.unlisted }} {{ instance.destroy }}", instance=parcel)
    assert frozen["instance"] == {"model": "shop.parcel", "pk": parcel.pk, "summary": "Books, Large"}


@pytest.mark.django_db
def test_a_json_field_is_stored_whole_or_in_parts():
    parcel = Parcel(
        label="Books", details={"to": {"city": "Berlin", "street": "Hauptstraße"}, "tags": ["a", "b"]}
    )
    assert freeze("{{ instance.details }}", instance=parcel)["instance"]["details"] == parcel.details
    part = freeze("{{ instance.details.to.city }} {{ instance.details.tags.0 }}", instance=parcel)[
        "instance"
    ]["details"]
    assert part == {"to": {"city": "Berlin"}, "tags": ["a", "b"]}
    assert freeze("{{ instance.details.nothing.here }}", instance=parcel)["instance"]["details"] == {
        "nothing": None
    }


VALUES = [
    # what a field or an argument holds, what comes back from the database
    ("text", "text"),
    (7, 7),
    (True, True),
    (None, None),
    (0.25, 0.25),
    (Decimal("12.50"), Decimal("12.50")),
    (
        dt.datetime(2026, 1, 31, 23, 59, 1, 5, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 31, 23, 59, 1, 5, tzinfo=dt.UTC),
    ),
    (dt.datetime(2026, 1, 31, 23, 59, tzinfo=UTC_2), dt.datetime(2026, 1, 31, 23, 59, tzinfo=UTC_2)),
    (dt.datetime(2026, 1, 31, 23, 59), dt.datetime(2026, 1, 31, 23, 59)),  # without a time zone
    (dt.date(2026, 1, 31), dt.date(2026, 1, 31)),
    (dt.time(23, 59, 1), dt.time(23, 59, 1)),
    (dt.timedelta(days=-1, seconds=7.5), dt.timedelta(days=-1, seconds=7.5)),
    (KEY, KEY),
    (mark_safe("<b>"), "<b>"),  # nothing is safe any more once it was stored
    (Order.Status.PAID, "paid"),
    (Parcel.Size.LARGE, 2),
    (float("nan"), "nan"),  # no JSON that a database takes
    (float("-inf"), "-inf"),
    ("a\0b", "ab"),  # PostgreSQL has no such text
    (b"bytes", "b'bytes'"),
    (Group, "<class 'django.contrib.auth.models.Group'>"),
    ([1, KEY], [1, KEY]),
    ((1, 2), [1, 2]),
    ({7}, [7]),  # such as m2m_changed's pk_set
    (frozenset({7}), [7]),
    ({"at": dt.date(2026, 1, 31), 7: [Decimal(1)]}, {"at": dt.date(2026, 1, 31), "7": [Decimal(1)]}),
    # Somebody's own JSON that looks like ours
    ({"$t": "uuid", "v": "not one"}, {"$t": "uuid", "v": "not one"}),
    ({"$t": "decimal", "v": []}, {"$t": "decimal", "v": []}),
    ({"$t": "timedelta", "v": "soon"}, {"$t": "timedelta", "v": "soon"}),
    ({"$t": "timedelta", "v": 10**18}, {"$t": "timedelta", "v": 10**18}),
    ({"$t": "date", "v": 7}, {"$t": "date", "v": 7}),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_types_survive_the_database(value, expected, request):
    signal = register(request.node.name, args=["value"])
    make_trigger(verb=request.node.name, model="", contents={"email": {"text": "{{ value }}"}})
    signal.send(sender=None, value=value)
    found = data_of_the_event()["value"]
    assert (found, type(found)) == (expected, type(expected))
    if isinstance(expected, dt.datetime):
        assert found.tzinfo == expected.tzinfo


@pytest.mark.django_db
def test_the_types_of_fields_survive_the_database():
    values = {
        "weight": 1.25, "price": Decimal("3.10"), "due_on": dt.date(2026, 1, 31), "due_time": dt.time(8, 30),
        "tracking": KEY, "sent_at": dt.datetime(2026, 1, 30, 12, tzinfo=dt.UTC),
        "travel": dt.timedelta(hours=36), "details": {"fragile": True},
    }  # fmt: skip
    make_trigger(
        model="shop.parcel",
        contents={"email": {"text": " ".join(f"{{{{ instance.{name} }}}}" for name in values)}},
    )
    Parcel.objects.create(label="Books", **values)
    frozen = data_of_the_event()["instance"]
    assert {name: frozen[name] for name in values} == values
    assert {name: type(frozen[name]) for name in values} == {
        name: type(value) for name, value in values.items()
    }


@pytest.mark.django_db
def test_an_object_inside_an_argument_is_its_text_and_key():
    signal = register("an_object_inside", args=["payload"])
    make_trigger(verb="an_object_inside", model="", contents={"email": {"text": "{{ payload }}"}})
    post = Post.objects.create(title="Linen")
    signal.send(sender=None, payload={"posts": [post]})
    assert data_of_the_event()["payload"] == {"posts": [{"model": "demo.post", "pk": post.pk, "": "Linen"}]}


@pytest.mark.django_db
def test_a_lazy_object_is_what_it_stands_for():
    ada = make_user(username="ada")
    order = Order(number="17", owner=SimpleLazyObject(lambda: ada))
    frozen = freeze(
        "{{ instance.owner.username }} {{ actor_object.username }}", instance=order, actor_object=order.owner
    )
    assert stored(frozen)["actor_object"] == {"model": "auth.user", "pk": ada.pk, "username": "ada"}
    assert frozen["instance"]["owner"]["username"] == "ada"


def orders_of(customer, number):
    for position in range(number):
        order = Order.objects.create(number=str(position), customer=customer, owner=make_user())
        Line.objects.create(order=order, name="Shirt")


LOOPS = [
    # a list and what its items lead to
    "{% for order in instance.order_set.all %}{{ order.number }}{% endfor %}",
    "{% for order in instance.order_set.all %}{{ order.owner.username }}{{ "
    "order.customer.first_name }}{% endfor %}",
    "{% for order in instance.order_set.all %}{{ order.customer.company.trade_name }}{{ "
    "order.owner.profile.phone }}{% endfor %}",
    # the column of a relation, which leads to nothing
    "{% for order in instance.order_set.all %}{{ order.owner_id }}{{ order.customer_id }}{% endfor %}",
    "{% for order in instance.order_set.all %}{{ order.owner.profile.user_id }}{% endfor %}",
]


@pytest.mark.django_db
@pytest.mark.parametrize("text", LOOPS)
def test_a_list_costs_one_query_however_long_it_is_and_wherever_its_items_lead(text):
    company = Company.objects.create(first_name="Grace")
    customer = Customer.objects.get(pk=company.pk)
    for expected in 1, 20:
        orders_of(customer, expected - customer.order_set.count())
        with statements() as found:
            frozen = freeze(text, instance=customer)
        assert len(frozen["instance"]["order_set"]["all"]) == expected
        assert found == ["SELECT shop_order"]


@pytest.mark.django_db
def test_a_list_of_relations_of_relations_costs_one_query():
    order = Order.objects.create(customer=Customer.objects.create(first_name="Grace"), owner=make_user())
    Line.objects.bulk_create(Line(order=order, name=str(number)) for number in range(20))
    text = (
        "{% for line in instance.lines.all %}{{ line.order.customer.first_name }}{{ "
        "line.order.owner.email }}{% endfor %}"
    )
    with statements() as found:
        frozen = freeze(text, instance=order)
    assert [line["order"]["customer"]["first_name"] for line in frozen["instance"]["lines"]["all"]] == [
        "Grace"
    ] * 20
    assert found == ["SELECT shop_line"]


@pytest.mark.django_db
def test_a_list_is_bounded():
    order = Order.objects.create(number="17")
    Line.objects.bulk_create(Line(order=order, name=str(number)) for number in range(snapshot.MAX_ITEMS + 1))
    frozen = freeze("{% for line in instance.lines.all %}{{ line.name }}{% endfor %}", instance=order)
    assert len(frozen["instance"]["lines"]["all"]) == snapshot.MAX_ITEMS
    assert len(freeze("{{ many }}", many=list(range(1000)))["many"]) == snapshot.MAX_ITEMS


@pytest.mark.django_db
def test_before_the_first_save_nothing_is_related_to_an_object():
    text = "{% for order in instance.order_set.all %}{{ order.number }}{% endfor %}{{ instance.first_name }}"
    make_trigger(verb="pre_save", model="shop.customer", contents={"email": {"text": text}})
    Customer.objects.create(first_name="Grace")
    assert data_of_the_event()["instance"]["first_name"] == "Grace"


@pytest.mark.django_db
def test_later_changes_and_deletions_do_not_show():
    reader = make_user(email="reader@example.com")
    text = (
        "{{ instance.number }} of {{ instance.customer.first_name }}: {% for line in "
        "instance.lines.all %}{{ line.name }}{% endfor %}"
    )
    make_trigger(
        model="shop.order", contents={"email": {"text": text}}, audiences=[make_audience(users=[reader])]
    )
    grace = Customer.objects.create(first_name="Grace")
    order = Order(number="17", customer=grace)
    with capture_notifications() as sent:
        order.save()
        Order.objects.filter(pk=order.pk).update(number="18")
        Customer.objects.update(first_name="Changed")
        Line.objects.create(order=order, name="Later")
        order.delete()
        grace.delete()
    assert_notified(sent, reader, containing="17 of Grace:")
    assert [message.text for message in sent] == ["17 of Grace:"]


SECRETS = ["password", "password_hint", "api_token"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", SECRETS)
def test_what_may_be_a_secret_is_never_stored(name):
    with pytest.raises(TemplateRefused, match=f"“{name}” may be a secret"):
        compile_content("", f"{{{{ instance.{name} }}}}", "")
    # Nor would it be if a template of another day had got through.
    secrets = {"instance": {name: {"": {}}, "id": {"": {}}}}
    for instance in make_user(), Customer(password_hint="blue"), Parcel(label="Books"):
        assert name not in snapshot.freeze({"instance": instance}, secrets)["instance"]
        assert name not in readable.readable_names(type(instance))


REFUSED = [
    # a template, what its refusal says
    (
        "{{ instance.numbr }}",
        "“instance.numbr”: order has nothing called “numbr” that can be stored. There is: .*number",
    ),
    ("{{ instance.delete }}", "“instance.delete”"),  # a call that changes something
    ("{{ instance.save }}", "“instance.save”"),
    ("{{ instance.owner.check_password }}", "“check_password” may be a secret"),
    ("{{ instance.owner.get_all_permissions }}", "“instance.owner.get_all_permissions”: user has nothing"),
    ("{{ instance.customer.nothing }}", "“instance.customer.nothing”: customer has nothing called “nothing”"),
    ("{{ instance.objects.all }}", "“instance.objects”"),
    (
        "{{ instance.watchers.username }}",
        "“instance.watchers” is a list: write instance.watchers.all, not instance.watchers.username",
    ),
    ("{{ instance.lines.first.name }}", "“instance.lines” is a list"),
    (
        "{% for line in instance.lines.all %}{{ line.nam }}{% endfor %}",
        "“instance.lines.all.nam”: line has nothing called “nam”",
    ),
    ("{{ movie.title }}", "“movie.title”: the signal post_save has no “movie”. It has: .*instance"),
    ("{{ action_object.numbr }}", "“action_object.numbr”"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_a_template_that_names_what_cannot_be_stored_is_refused_by_name(text, message):
    with pytest.raises((TemplateRefused, UnreadablePath), match=message):
        offers.check_paths(compile_content("", text, "").paths, Trigger(verb="post_save", model="shop.order"))


@pytest.mark.parametrize("text", [text for text, _ in PATHS])
def test_a_template_that_can_be_stored_is_not_refused(text):
    offers.check_paths(compile_content("", text, "").paths, Trigger(verb="post_save", model="shop.order"))


@pytest.mark.django_db
def test_data_beyond_the_bound_fails_the_event_and_says_so():
    make_trigger(
        contents={"email": {"text": "{{ instance.body }}"}}, audiences=[make_audience(users=[make_user()])]
    )
    with capture_notifications() as sent:
        Post.objects.create(title="Long", body="x" * 256 * 1024)
        Post.objects.create(title="Short", body="x" * 200 * 1024)
    long, short = Event.objects.order_by("pk")
    assert (long.status, long.data, long.due_at) == ("failed", {}, None)
    assert "262" in long.reason
    assert "Let them read less." in long.reason
    assert len(sent) == 1
    assert short.status == "done"


# Finding an object by what somebody typed.

NO_KEYS = ["", "x", "1.5", "9" * 30, "-1", "None", "\0", "1\0", "ä", "1 OR 1=1"]


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Post, Order])
@pytest.mark.parametrize("text", NO_KEYS)
def test_a_text_that_is_no_key_of_a_model_finds_nothing_and_raises_nothing(model, text):
    assert readable.find_instance(model, text) is None


@pytest.mark.django_db
def test_an_object_is_found_by_its_key_as_text():
    post, order = Post.objects.create(title="Linen"), Order.objects.create(number="7")
    assert readable.find_instance(Post, str(post.pk)) == post
    assert readable.find_instance(Order, str(order.pk)) == order
