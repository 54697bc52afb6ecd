"""``previous`` is the row before a save, read by one query and only where a live trigger says so."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models.signals import post_save, pre_save

from notifier.events import previous
from notifier.events.index import index
from notifier.models import Event, Trigger
from project.demo.models import Post
from tests.app.models import Company, Customer, Guest, Order, Parcel
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.statements import statements

pytestmark = pytest.mark.django_db

SHIPPED = "previous.size != instance.size and instance.size == 2"
VERBS = pytest.mark.parametrize("verb", ["pre_save", "post_save"])


def make_transition(condition=SHIPPED, *, verb="post_save", model="shop.parcel", **values):
    text = "{{ previous.size }}" if model == "shop.parcel" else "-"
    return make_trigger(
        verb=verb, model=model, condition=condition, contents={"email": {"text": text}}, **values
    )


def number_of_events():
    return Event.objects.count()


SAVES = [
    # what is done to a stored small parcel, how often it becomes large
    (lambda parcel: parcel.save(), 0),
    (lambda parcel: change(parcel, size=2), 1),
    (lambda parcel: change(parcel, size="2"), 1),  # as a form's raw data
    (lambda parcel: change(parcel, size=Parcel.Size.LARGE), 1),
    (lambda parcel: change(parcel, update_fields=["size"], size=2), 1),
    (lambda parcel: change(parcel, update_fields=["weight"], size=2), 0),  # it is large in memory alone
    # And becomes so with this save
    (lambda parcel: (change(parcel, update_fields=["weight"], size=2), parcel.save()), 1),
    (lambda parcel: (change(parcel, size=2), parcel.save(), parcel.save()), 1),
    (lambda parcel: (change(parcel, size=2), change(parcel, size=1), change(parcel, size=2)), 2),
    (lambda parcel: change(Parcel.objects.get(pk=parcel.pk), size=2), 1),  # another instance of the same row
    (lambda parcel: change(Parcel.objects.only("label").get(pk=parcel.pk), size=2), 1),  # deferred fields
    (lambda parcel: change(Parcel.objects.only("label").get(pk=parcel.pk), label="x"), 0),
    (lambda parcel: change(Parcel(pk=parcel.pk, label="x"), size=2), 1),  # an instance that was never loaded
    # Created as such: of before there is nothing
    (lambda parcel: Parcel.objects.create(label="new", size=2), 1),
    (lambda parcel: Parcel.objects.create(label="new", size=1), 0),
    (lambda parcel: Parcel.objects.update_or_create(label=parcel.label, defaults={"size": 2}), 1),
    (lambda parcel: Parcel.objects.update(size=2), 0),  # sends no signal
]


def change(instance, *, update_fields=None, **values):
    for name, value in values.items():
        setattr(instance, name, value)
    instance.save(update_fields=update_fields)


@VERBS
@pytest.mark.parametrize(("act", "expected"), SAVES)
def test_a_change_of_a_field_is_told_from_a_save_that_leaves_it(verb, act, expected):
    parcel = Parcel.objects.create(label="Linen", size=1)
    make_transition(verb=verb)
    act(parcel)
    assert number_of_events() == expected
    assert "_notifier_previous" not in parcel.__dict__


def test_of_a_new_object_there_was_nothing():
    make_transition("previous is None")
    make_transition('previous.size is None and not previous and previous.label != "x"')
    make_transition("previous")
    Parcel.objects.create(label="Linen")
    assert number_of_events() == 2
    Event.objects.all().delete()
    parcel = Parcel.objects.get()
    parcel.save()
    explained = {each["because"] for each in Event.objects.get().explanation}
    assert f'condition is false: previous is "parcel {parcel.pk}"' in explained


def test_a_template_shows_what_was_before_and_its_choices_label():
    text = (
        "{{ previous.get_size_display }} {{ previous.size }} {{ previous.order_id|default:'none' "
        "}} {{ previous }}"
    )
    make_trigger(model="shop.parcel", on="updated", contents={"email": {"text": text}})
    parcel = Parcel.objects.create(label="Linen")
    change(parcel, size=2)
    previous = Event.objects.get().data["previous"]
    assert [previous["get_size_display"], previous["size"], previous["order_id"]] == ["Small", 1, None]
    assert str(previous) == f"parcel {parcel.pk}"


def test_an_event_holds_of_before_what_its_templates_and_condition_name():
    make_transition("previous.label != instance.label")
    change(Parcel.objects.create(label="Linen"), label="Wool")
    assert Event.objects.latest("pk").data["previous"] == {"label": "Linen", "size": 1}


def test_the_audience_may_be_an_address_of_before():
    audience = make_audience(paths="email: previous.contact_email")
    trigger = make_trigger(
        model="shop.order", on="updated", contents={"email": {"text": "-"}}, audiences=[audience]
    )
    audience.full_clean()
    order = Order.objects.create(number="1", contact_email="old@example.com")
    change(order, contact_email="new@example.com")
    event = Event.objects.get(trigger=trigger)
    assert event.plan[0]["recipients"] == [{"address": "old@example.com", "channel": "email"}]


def test_the_old_row_is_read_by_one_query_and_only_where_a_live_trigger_says_previous():
    parcel = Parcel.objects.create(label="Linen")
    trigger = make_transition(subscribe=False)
    make_transition(verb="pre_save", subscribe=False)
    make_transition("previous.label != instance.label and not created and instance.size > 1", subscribe=False)
    make_trigger(condition="instance.title", subscribe=False, on="updated")
    with statements() as found:
        parcel.save()
    assert found == ["SELECT shop_parcel", "UPDATE shop_parcel"]
    with statements() as found:
        change(parcel, update_fields=["weight"], weight=3)
    assert found == ["SELECT shop_parcel", "UPDATE shop_parcel"]
    with statements() as found:
        Parcel.objects.create(label="new")
        Post.objects.create(title="Linen")
    # Nothing was before; and no trigger of posts asks
    assert found == ["INSERT shop_parcel", "INSERT demo_post"]
    Trigger.objects.update(enabled=False)
    assert trigger.pk
    with statements() as found:
        parcel.save()
    assert found == ["UPDATE shop_parcel"]


def test_only_the_columns_that_are_named_are_read(django_assert_num_queries):
    parcel = Parcel.objects.create(label="Linen")
    make_transition("previous.size > 1", subscribe=False)
    with django_assert_num_queries(2) as queries:
        parcel.save()
    assert '"size"' in queries[0]["sql"]
    assert '"label"' not in queries[0]["sql"]


def test_a_key_of_its_own_that_is_new_costs_no_look_at_the_table():
    make_transition("previous.number != instance.number", model="shop.order", subscribe=False)
    with statements() as found:
        order = Order(number="1", total=1)
        order.save()
    assert not [each for each in found if each == "SELECT shop_order"]
    assert number_of_events() == 1
    with statements() as found:
        order.save()
    assert found == ["SELECT shop_order", "UPDATE shop_order"]


HEIRS = [
    # the trigger's model, how the object is made, whether its change counts
    ("shop.customer", lambda: Customer.objects.create(first_name="Ada"), True),
    (
        "shop.customer",
        lambda: Company.objects.create(first_name="Ada", trade_name="Linen"),
        True,
    ),  # multi-table: a parent's column
    ("shop.company", lambda: Company.objects.create(first_name="Ada", trade_name="Linen"), True),
    ("shop.company", lambda: Customer.objects.create(first_name="Ada"), False),
    ("shop.customer", lambda: Guest.objects.create(first_name="Ada"), True),  # a proxy
    ("shop.guest", lambda: Guest.objects.create(first_name="Ada"), True),
]


@VERBS
@pytest.mark.parametrize(("model", "make", "expected"), HEIRS)
def test_heirs_and_proxies_have_what_was_before(verb, model, make, expected):
    instance = make()
    make_transition(
        'previous.first_name == "Ada" and instance.first_name == "Bo"',
        verb=verb,
        model=model,
        subscribe=False,
    )
    with statements() as found:
        change(instance, first_name="Bo")
    selects = [each for each in found if each.startswith("SELECT")]
    assert (number_of_events(), len(selects)) == ((1, 1) if expected else (0, 0))


@VERBS
def test_a_save_that_fails_and_is_repeated_counts_once(verb):
    Parcel.objects.create(label="taken")
    parcel = Parcel.objects.create(label="Linen")
    make_transition(verb=verb)
    for label, fails in ("taken", True), ("taken", True), ("free", False), ("free", False):
        try:
            with transaction.atomic():
                change(parcel, size=2, label=label)
        except IntegrityError:
            assert fails
    assert number_of_events() == 1


def test_a_receiver_that_saves_the_object_again_does_not_hide_the_change():
    parcel = Parcel.objects.create(label="Linen")

    def save_again(instance, **_signal):
        if instance.weight != 9:
            change(instance, weight=9)

    post_save.connect(save_again, sender=Parcel)
    try:
        make_transition()
        change(parcel, size=2)
    finally:
        post_save.disconnect(save_again, sender=Parcel)
    assert number_of_events() == 1


def test_what_the_old_row_led_to_is_not_offered():
    values = {"name": "Orders", "verb": "post_save", "model": "shop.order"}
    with pytest.raises(ValidationError, match="Write previous.owner_id"):
        Trigger(condition="previous.owner.username", **values).clean()
    Trigger(condition="previous.owner_id != instance.owner_id", **values).clean()


def test_a_fixture_is_no_change_and_reads_nothing(tmp_path):
    parcel = Parcel.objects.create(label="Linen")
    make_transition()
    fixture = tmp_path / "parcels.json"
    fixture.write_text(
        json.dumps([{"model": "shop.parcel", "pk": parcel.pk, "fields": {"label": "Linen", "size": 2}}])
    )
    with statements() as found:
        call_command("loaddata", fixture, verbosity=0)
    assert number_of_events() == 0
    # PostgreSQL sets the sequence afterwards
    assert "SELECT shop_parcel" not in found[: found.index("UPDATE shop_parcel")]


def test_a_rule_that_comes_into_force_during_a_save_waits_for_the_next():
    parcel = Parcel.objects.create(label="Linen")
    parcel.size = 2
    make_trigger(model="shop.parcel", subscribe=False, name="plain")
    made = []

    def make_rule(**_signal):
        if not made:
            made.append(make_transition("previous.size != instance.size"))

    post_save.connect(make_rule, sender=Parcel)
    try:
        parcel.save()
    finally:
        post_save.disconnect(make_rule, sender=Parcel)
    assert not Event.objects.filter(trigger=made[0]).exists()
    change(parcel, size=1)
    assert Event.objects.filter(trigger=made[0]).count() == 1


def test_an_old_row_that_cannot_be_read_costs_the_trigger_not_the_save(monkeypatch):
    make_transition()
    monkeypatch.setattr(previous, "_read", None)  # raises whatever it is called with
    parcel = Parcel.objects.create(label="Linen", size=2)
    assert Parcel.objects.filter(pk=parcel.pk).exists()
    assert number_of_events() == 0


def test_a_model_of_whose_before_nobody_asks_is_not_listened_to_before_its_save():
    make_transition(subscribe=False)
    make_trigger(subscribe=False)
    assert index.previous_names(Parcel) == {"size"}
    assert (pre_save.has_listeners(Parcel), pre_save.has_listeners(Post)) == (True, False)
    Trigger.objects.all().delete()
    assert index.previous_names(Parcel) == set()


def test_the_actor_of_a_transition_is_not_asked_for_unless_it_happens():
    make_transition(subscribe=False, actor_model="auth.user")
    Parcel.objects.create(label="Linen", size=2)
    make_user()
    assert number_of_events() == 0
