"""Which firing is which trigger's, and which triggers cannot work."""

import re
import uuid

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.utils.functional import SimpleLazyObject

from notifier.events import matching
from notifier.events.index import index
from notifier.events.live import LiveTrigger
from notifier.models import Event, Trigger
from project.demo.models import Movie, Post
from tests.app.models import Company, Customer, Guest, Order
from tests.support.builders import make_trigger
from tests.support.observing import recorded, register

pytestmark = pytest.mark.one_database

KEY = uuid.UUID("0f36bd71-52c2-4a0e-9c5f-3f6c1b7d2c11")
ADA = User(pk=3)
LAZY_ADA = SimpleLazyObject(lambda: ADA)


def matches(created=None, action_object=None, actor_object=None, fired_target=None, **trigger):
    """Whether a trigger with these values takes a firing with these objects."""
    context = {
        "verb": "post_save",
        "action_object": action_object,
        "actor_object": actor_object,
        "target": fired_target,
    }
    return matching.matches(LiveTrigger(pk=1, verb="post_save", **trigger), context, created)


ACTION_OBJECTS = [
    # model, object_pk, the firing's action object, whether it matches
    ("", "", None, True),  # any signal
    ("", "", Post(pk=1), True),
    ("", "", "a string", True),
    ("demo.post", "", Post(pk=1), True),
    ("demo.post", "", Post(), True),  # not saved yet
    ("demo.post", "", Post, True),  # the model itself: a signal's sender
    ("demo.Post", "", Post(pk=1), True),  # as a person writes it
    ("demo.post", "", Movie(pk=1), False),
    ("demo.post", "", Movie, False),
    ("demo.post", "", None, False),
    ("demo.post", "", "demo.post", False),  # a sender that is a string is no model
    ("demo.post", "", str, False),
    ("shop.customer", "", Company(pk=1), True),  # a subclass
    ("shop.customer", "", Company, True),
    ("shop.customer", "", Guest(pk=1), True),  # a proxy
    ("shop.company", "", Customer(pk=1), False),  # the parent is not the child
    ("shop.guest", "", Customer(pk=1), False),
    ("demo.post", "7", Post(pk=7), True),  # text, as the database gives it after a restart
    ("demo.post", "7", Post(pk="7"), True),  # an instance whose key is not yet what its field makes of it
    ("shop.order", str(KEY), Order(pk=KEY.hex), True),
    ("demo.post", "seven", Post(), False),
    ("demo.post", "7", Post(pk=8), False),
    ("demo.post", "7", Post(), False),
    ("demo.post", "7", Post, False),  # the model is no instance
    ("demo.post", "7", Movie(pk=7), False),
    ("demo.post", "seven", Post(pk=7), False),  # never validated; it must not be an error either
    ("shop.order", str(KEY), Order(pk=KEY), True),
    ("shop.order", KEY.hex, Order(pk=KEY), True),
    ("shop.order", str(KEY), Order(pk=uuid.uuid4()), False),
    ("shop.order", "no key", Order(pk=KEY), False),
    ("shop.company", "7", Company(pk=7), True),  # its key is a relation to the parent
    ("shop.customer", "7", Company(pk=7), True),
    ("demo.gone", "", Post(pk=1), False),  # a model that has been removed
    ("gone.post", "", Post(pk=1), False),
    ("post", "", Post(pk=1), False),  # no label at all
]


@pytest.mark.parametrize(("model", "object_pk", "found", "expected"), ACTION_OBJECTS)
def test_the_action_object_is_a_model_or_one_instance(model, object_pk, found, expected):
    assert matches(model=model, object_pk=object_pk, action_object=found) is expected


SAVES = [
    # on, created (None: not about a save), whether it matches
    ("any", True, True),
    ("any", False, True),
    ("any", None, True),
    ("created", True, True),
    ("created", False, False),
    ("created", None, True),  # a deletion knows nothing of it
    ("updated", True, False),
    ("updated", False, True),
    ("updated", None, True),
]


@pytest.mark.parametrize(("on", "created", "expected"), SAVES)
def test_a_trigger_wants_creations_or_changes_or_both(on, created, expected):
    assert matches(on=on, created=created) is expected


ACTORS = [
    # actor_model, actor_pk, who did it, whether it matches
    ("", "", None, True),
    ("", "", ADA, True),
    ("auth.user", "", ADA, True),
    ("auth.user", "", LAZY_ADA, True),  # request.user
    ("auth.user", "", None, False),  # nobody is known
    ("auth.user", "", Group(pk=3), False),
    ("auth.user", "3", ADA, True),
    ("auth.user", "3", LAZY_ADA, True),
    ("auth.user", "4", ADA, False),
    ("auth.user", "4", LAZY_ADA, False),
]


@pytest.mark.parametrize(("actor_model", "actor_pk", "found", "expected"), ACTORS)
def test_the_actor_is_a_model_or_one_instance(actor_model, actor_pk, found, expected):
    assert matches(actor_model=actor_model, actor_pk=actor_pk, actor_object=found) is expected


TARGETS = [
    # the trigger's, the signal's, whether it matches
    ("", None, True),
    ("", "Berlin", True),
    ("Berlin", "Berlin", True),
    ("Berlin", "Bonn", False),
    ("Berlin", "berlin", False),
    ("Berlin", None, False),
    ("None", None, True),  # as text they are the same; nobody means it
    ("7", 7, True),  # a target may be anything; a trigger holds its text
]


@pytest.mark.parametrize(("wanted", "found", "expected"), TARGETS)
def test_the_target_equals_the_triggers(wanted, found, expected):
    assert matches(target=wanted, fired_target=found) is expected


def test_all_of_a_trigger_must_match():
    wanted = {
        "model": "demo.post",
        "object_pk": "7",
        "actor_model": "auth.user",
        "actor_pk": "3",
        "on": "created",
    }
    assert matches(created=True, action_object=Post(pk=7), actor_object=ADA, **wanted)
    for wrong in {"created": False}, {"action_object": Post(pk=8)}, {"actor_object": User(pk=4)}:
        assert not matches(
            **{"created": True, "action_object": Post(pk=7), "actor_object": ADA, **wanted} | wrong
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("created", ["create"]),
        ("updated", ["update"]),
        ("any", ["create", "update"]),
    ],
)
@pytest.mark.parametrize("verb", ["pre_save", "post_save"])
def test_an_update_fires_nothing_for_a_created_only_trigger(verb, on, expected):
    make_trigger(verb=verb, on=on, contents={"email": {"text": "{{ instance.title }}"}})
    post = Post.objects.create(title="create")
    post.title = "update"
    post.save()
    assert [event.data["instance"]["title"] for event in Event.objects.order_by("pk")] == expected


@pytest.mark.django_db
def test_a_trigger_for_one_instance_matches_it_after_a_restart():
    order, other = Order.objects.create(number="1"), Order.objects.create(number="2")
    post = Post.objects.create(title="Linen")
    make_trigger(model="shop.order", object_pk=str(order.pk), subscribe=False)
    make_trigger(model="demo.post", object_pk=post.pk, subscribe=False)
    # What a new process would know: the rows, as the database gives them.
    index.refresh(force=True)
    for saved in Order.objects.get(pk=order.pk), other, post, Post(title="Another"):
        saved.save()
    assert recorded() == [("post_save", f"shop.order:{order.pk}"), ("post_save", f"demo.post:{post.pk}")]


@pytest.mark.django_db
def test_a_broken_trigger_does_not_stop_the_others():
    make_trigger(object_pk="seven", subscribe=False)
    make_trigger(model="demo.gone", subscribe=False)
    make_trigger(verb="never_registered", subscribe=False)
    make_trigger(subscribe=False)
    Post.objects.create(title="Linen")
    assert [verb for verb, _ in recorded()] == ["post_save"]


REFUSED = [
    # what is wrong with the trigger, the field that says so, what it says
    ({"verb": "post_sav"}, "verb", "No signal is registered as “post_sav”. Known: .*post_save"),
    ({"model": ""}, "model", "The signal post_save needs a model."),
    ({"verb": "m2m_changed", "model": ""}, "model", "The signal m2m_changed needs a model."),
    ({"model": "demo.pst"}, "model", "There is no model “demo.pst”. Write app_label.model."),
    ({"model": "Post"}, "model", "There is no model “Post”. Write app_label.model."),
    ({"object_pk": "seven"}, "object_pk", "“seven” value must be an integer."),
    ({"model": "shop.order", "object_pk": "7"}, "object_pk", "“7” is not a valid UUID."),
    (
        {"verb": "request_started", "model": "", "object_pk": "7"},
        "object_pk",
        "A primary key needs its model.",
    ),
    ({"actor_model": "auth.person"}, "actor_model", "There is no model “auth.person”."),
    ({"actor_pk": "7"}, "actor_pk", "A primary key needs its model."),
    ({"actor_model": "auth.user", "actor_pk": "ada"}, "actor_pk", "“ada” value must be an integer."),
    ({"on": "never"}, "on", "'never' is not a valid choice."),
    ({"name": ""}, "name", "cannot be blank"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("wrong", "field", "message"), REFUSED)
def test_a_trigger_that_cannot_work_is_refused_where_it_is_wrong(wrong, field, message):
    with pytest.raises(ValidationError) as refused:
        Trigger(**{"name": "Posts", "verb": "post_save", "model": "demo.post"} | wrong).full_clean()
    assert list(refused.value.message_dict) == [field]
    assert re.search(message, " ".join(refused.value.messages))


@pytest.mark.django_db
def test_a_trigger_that_can_work_is_taken():
    register("for_everything")
    for values in (
        {"verb": "post_save", "model": "demo.post", "object_pk": "7"},
        {"verb": "post_delete", "model": "shop.Order", "object_pk": str(KEY)},
        {"verb": "user_logged_in", "actor_model": "auth.user", "actor_pk": "3"},
        {"verb": "for_everything", "target": "Berlin"},
    ):
        Trigger(name="Fine", **values).full_clean()
