"""Who receives an event: every kind of source, several at once, a person once, and an address for each
channel.
"""

import logging

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction

from notifier.models import ContactPoint, Delivery, Event
from notifier.rules import audiences
from notifier.rules.audiences import register_audience
from notifier.testing import capture_notifications
from project.demo.models import FlashSale, Movie, Post, Profile
from project.demo.signals import notify_audiences
from tests.app.models import Customer, Order, Parcel
from tests.support import observing
from tests.support.builders import make_audience, make_subscription, make_trigger, make_user
from tests.support.observing import recorded, register

pytestmark = pytest.mark.django_db
registering = observing.registering

HELLO = {"text": "Hello {{ user.first_name }}"}


def receivers(act):
    """The addresses to which ``act`` sends something, sorted; each as often as it gets something."""
    with capture_notifications() as sent:
        act()
    return sorted(message.address for message in sent)


def save_post():
    Post.objects.create(title="Linen")


def person(name, **values):
    return make_user(username=name, email=f"{name}@example.com", first_name=name.title(), **values)


@pytest.fixture
def people():
    """Ada, Bo and Chidi, of whom Chidi is inactive; Ada and Chidi are readers."""
    ada, bo, chidi = person("ada"), person("bo"), person("chidi", is_active=False)
    readers = Group.objects.create(name="Readers")
    readers.user_set.set([ada, chidi])
    return {"ada": ada, "bo": bo, "chidi": chidi, "readers": readers}


SOURCES = [
    # an audience's sources, who receives
    ({"users": ["bo"]}, ["bo@example.com"]),
    ({"users": ["bo", "chidi"]}, ["bo@example.com"]),  # inactive people get nothing, however they are named
    ({"groups": ["readers"]}, ["ada@example.com"]),
    ({"everyone": True}, ["ada@example.com", "bo@example.com"]),
    ({"addresses": "email: ops@example.com"}, ["ops@example.com"]),
    (
        {"addresses": "email: ops@example.com\n\n email:boss@example.com "},
        ["boss@example.com", "ops@example.com"],
    ),
    ({"addresses": "sms: +4930123456"}, []),  # an address for a channel that the subscription does not use
    ({}, []),  # nobody
    # Several at once, a person once.
    ({"users": ["ada"], "groups": ["readers"], "everyone": True}, ["ada@example.com", "bo@example.com"]),
    (
        {"users": ["ada"], "addresses": "email: ada@example.com\nemail: ops@example.com"},
        ["ada@example.com", "ops@example.com"],
    ),
    ({"addresses": "email: ops@example.com\nemail: ops@example.com"}, ["ops@example.com"]),
]


@pytest.mark.parametrize(("sources", "expected"), SOURCES)
def test_each_source_gives_its_people_and_each_person_counts_once(people, sources, expected):
    named = {
        name: [people[each] for each in sources[name]] for name in ("users", "groups") if name in sources
    }
    make_trigger(contents={"email": HELLO}, audiences=[make_audience(**sources | named)])
    assert receivers(save_post) == expected


def test_a_person_in_several_audiences_of_a_subscription_counts_once(people):
    several = [
        make_audience(users=[people["ada"]]),
        make_audience(groups=[people["readers"]]),
        make_audience(everyone=True),
    ]
    make_trigger(contents={"email": HELLO}, audiences=several)
    assert receivers(save_post) == ["ada@example.com", "bo@example.com"]


def test_each_subscription_tells_its_own_people(people):
    trigger = make_trigger(contents={"email": HELLO}, audiences=[make_audience(users=[people["ada"]])])
    make_subscription(
        trigger, contents={"email": {"text": "Another text"}}, audiences=[make_audience(everyone=True)]
    )
    assert receivers(save_post) == ["ada@example.com", "ada@example.com", "bo@example.com"]


def order_of(people, **values):
    order = Order.objects.create(number="17", **values)
    order.watchers.set([people["ada"], people["bo"], people["chidi"]])
    return order


PATHS = [
    # paths of an audience, who receives
    ("instance.owner", ["ada@example.com"]),
    ("action_object.owner", ["ada@example.com"]),
    ("instance.watchers", ["ada@example.com", "bo@example.com"]),
    ("instance.contact_email", ["carl@example.com"]),
    ("email: instance.contact_email", ["carl@example.com"]),
    ("sms: instance.contact_email", []),  # for a channel that the subscription does not use
    ("instance.owner.email", ["ada@example.com"]),
    (
        "instance.owner\ninstance.watchers\ninstance.contact_email",
        ["ada@example.com", "bo@example.com", "carl@example.com"],
    ),
    ("instance.owner\ninstance.owner.email", ["ada@example.com"]),  # a person and her address
    # Any text is taken for an address; its channel will refuse it
    ("instance.customer.first_name", ["Grace"]),
]


@pytest.mark.parametrize(("paths", "expected"), PATHS)
def test_a_path_leads_to_people_or_to_an_address(people, paths, expected):
    customer = Customer.objects.create(first_name="Grace")
    order = order_of(people, owner=people["ada"], contact_email=" carl@example.com ", customer=customer)
    make_trigger(model="shop.order", contents={"email": HELLO}, audiences=[make_audience(paths=paths)])
    assert receivers(Order.objects.get(pk=order.pk).save) == expected


NOWHERE = [
    # paths that lead to nobody, whether that is logged
    ("instance.owner", False),  # nobody owns it
    ("instance.contact_email", False),  # blank
    ("instance.customer.first_name", False),  # there is no customer
    ("instance.watchers", False),  # nobody watches it
    ("instance.lines", True),  # these are no people
    ("instance.number.owner", True),
    ("instance.total", True),  # a number is neither
    ("instance.nothing", True),
    ("instance.delete", True),  # no field
    ("instance.customer_set", True),
    ("movie.audiences", True),  # not this signal's argument
    ("actor_object", False),  # nobody is known
    ("actor_object.email", False),
]


@pytest.mark.parametrize(("path", "logged"), NOWHERE)
def test_a_path_that_leads_nowhere_leaves_the_other_sources(people, caplog, path, logged):
    audience = make_audience(paths=path, users=[people["bo"]])
    make_trigger(model="shop.order", contents={"email": HELLO}, audiences=[audience])
    assert receivers(lambda: Order.objects.create(number="17")) == ["bo@example.com"]
    found = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [
        message.startswith(f"Audience path {path} leads nowhere and is ignored:") for message in found
    ] == [True] * logged
    assert Order.objects.count() == 1


def test_before_the_first_save_a_relation_leads_to_nobody(people):
    audience = make_audience(paths="instance.audiences", users=[people["bo"]])
    make_trigger(verb="pre_save", model="demo.movie", contents={"email": HELLO}, audiences=[audience])
    assert receivers(lambda: Movie.objects.create(title="Stalker")) == ["bo@example.com"]


@pytest.mark.parametrize("verb", ["pre_delete", "post_delete"])
def test_whom_a_deleted_object_named_is_told(people, verb):
    order = order_of(people, owner=people["ada"], contact_email="carl@example.com")
    paths = "instance.owner\ninstance.contact_email"
    make_trigger(
        verb=verb, model="shop.order", contents={"email": HELLO}, audiences=[make_audience(paths=paths)]
    )
    assert receivers(order.delete) == ["ada@example.com", "carl@example.com"]


def test_the_many_whom_an_object_names_are_told_before_it_is_deleted(people):
    order = order_of(people)
    audience = make_audience(paths="instance.watchers")
    make_trigger(verb="pre_delete", model="shop.order", contents={"email": HELLO}, audiences=[audience])
    assert receivers(order.delete) == ["ada@example.com", "bo@example.com"]


def test_a_property_that_a_model_lists_can_name_people(people):
    parcel = Parcel.objects.create(label="Books", order=order_of(people))
    make_trigger(
        model="shop.parcel", contents={"email": HELLO}, audiences=[make_audience(paths="instance.recipients")]
    )
    assert receivers(parcel.save) == ["ada@example.com", "bo@example.com"]


def test_a_property_that_a_model_does_not_list_names_nobody(people):
    parcel = Parcel.objects.create(label="Books")
    make_trigger(
        model="shop.parcel", contents={"email": HELLO}, audiences=[make_audience(paths="instance.unlisted")]
    )
    parcel.unlisted = "carl@example.com"
    assert receivers(parcel.save) == []


def test_of_all_active_users_the_others_are_not_even_skipped(people):
    make_trigger(contents={"email": HELLO}, audiences=[make_audience(everyone=True)])
    assert len(receivers(save_post)) == 2
    assert not Delivery.objects.filter(recipient=f"user:{people['chidi'].pk}").exists()


ARGUMENTS = [
    # what a custom signal's argument holds, who receives
    (lambda people: people["ada"], ["ada@example.com"]),
    (lambda people: [people["ada"], people["bo"]], ["ada@example.com", "bo@example.com"]),
    (lambda people: {people["bo"]}, ["bo@example.com"]),
    (lambda people: User.objects.filter(username__in=["ada", "chidi"]), ["ada@example.com"]),
    (lambda people: User.objects, ["ada@example.com", "bo@example.com"]),
    (lambda people: "dora@example.com", ["dora@example.com"]),
    (lambda people: [], []),
    (lambda people: None, []),
    (lambda people: [people["ada"], "dora@example.com"], []),  # neither people nor an address: ignored
    (lambda people: Group.objects.all(), []),
    (lambda people: 7, []),
]


@pytest.mark.parametrize(("argument", "expected"), ARGUMENTS)
def test_an_argument_of_a_custom_signal_can_be_people_or_an_address(people, request, argument, expected):
    verb = request.node.name
    signal = register(verb, args=["to"])
    make_trigger(verb=verb, model="", contents={"email": HELLO}, audiences=[make_audience(paths="to")])
    assert receivers(lambda: signal.send(sender=None, to=argument(people))) == expected
    assert recorded() == [(verb, "")]


def movie_night(**audience):
    """The rule of django-signal-notifier's own example: a custom signal tells the people that a movie
    names.
    """
    text = {"email": {"text": "{{ movie.title }} for {{ user.first_name }}"}}
    make_trigger(
        verb="notify_audiences", model="demo.movie", contents=text, audiences=[make_audience(**audience)]
    )
    return Movie.objects.create(title="The Third Man")


def test_a_movies_audiences_are_told_together_with_preset_users(people):
    movie = movie_night(paths="movie.audiences", users=[people["bo"]])
    movie.audiences.set([people["ada"], people["bo"]])
    assert receivers(lambda: notify_audiences.send(sender=Movie, movie=movie)) == [
        "ada@example.com",
        "bo@example.com",
    ]


MISMATCHES = [
    # what the signal sends instead of a movie with audiences
    lambda people: FlashSale(title="Linen"),  # it has no audiences
    lambda people: "The Third Man",
    lambda people: people["readers"],
    lambda people: 7,
]


def screening(register, args, text):
    """A signal of this test's own, whose rule tells a movie's audiences and Bo."""
    signal = register("screening", args)
    audience = make_audience(paths="movie.audiences", users=[User.objects.get(username="bo")])
    make_trigger(verb="screening", model="", contents={"email": {"text": text}}, audiences=[audience])
    return lambda value: signal.send(sender=None, movie=value)


@pytest.mark.parametrize("mismatch", MISMATCHES)
@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["movie"], "{{ movie.title }} for {{ user.first_name }}"),
        (["movie"], "A film"),
        ({"movie": Movie}, "A film"),  # of no type that the text reads
    ],
)
def test_a_mismatch_is_logged_and_ignored_and_preset_users_are_told(
    people, caplog, registering, args, text, mismatch
):
    send = screening(registering, args, text)
    assert receivers(lambda: send(mismatch(people))) == ["bo@example.com"]
    assert "Audience path movie.audiences leads nowhere and is ignored" in caplog.text


@pytest.mark.parametrize("mismatch", MISMATCHES)
def test_a_mismatch_that_the_text_reads_is_told_to_nobody_and_seen(people, registering, mismatch):
    """A blank where the title should be is no message, and the signal says that it is a movie."""
    send = screening(registering, {"movie": Movie}, "{{ movie.title }} for {{ user.first_name }}")
    assert receivers(lambda: send(mismatch(people))) == []
    (event,) = Event.objects.all()
    assert event.status == "failed"
    assert "as its argument movie, and is registered with Movie." in event.reason


@pytest.mark.parametrize("mismatch", MISMATCHES)
def test_a_mismatch_of_what_the_signal_is_about_matches_no_trigger_for_its_model(people, caplog, mismatch):
    movie_night(paths="movie.audiences", users=[people["bo"]])
    assert receivers(lambda: notify_audiences.send(sender=Movie, movie=mismatch(people))) == []
    assert not Event.objects.exists()
    assert "as its argument movie, and is registered with Movie." in caplog.text


def test_an_audience_is_read_at_the_fan_out_as_it_is_then(people):
    movie = movie_night(paths="movie.audiences")
    movie.audiences.set([people["ada"]])

    def send_and_change_ones_mind():
        notify_audiences.send(sender=Movie, movie=movie)
        movie.audiences.set([people["bo"]])

    assert receivers(send_and_change_ones_mind) == ["bo@example.com"]


def test_functions_give_querysets_and_iterables(people):
    register_audience("a queryset", lambda event: User.objects.filter(username="ada"))
    register_audience("a slice", lambda event: User.objects.order_by("username")[1:2])
    register_audience(
        "an iterable", lambda event: iter([people["bo"], people["chidi"], "ops@example.com", 7])
    )
    register_audience("nothing", lambda event: None)
    register_audience("knows the event", lambda event: [f"{event.verb}@example.com"])
    for names, expected in (
        (["a queryset"], ["ada@example.com"]),
        (["a slice"], ["bo@example.com"]),
        (["an iterable"], ["bo@example.com", "ops@example.com"]),
        (["nothing"], []),
        (["knows the event"], ["post_save@example.com"]),
        (["a queryset", "an iterable", "a slice"], ["ada@example.com", "bo@example.com", "ops@example.com"]),
        (["gone since"], []),
    ):
        with transaction.atomic():
            make_trigger(contents={"email": HELLO}, audiences=[make_audience(callables=names)])
            assert receivers(save_post) == expected
            transaction.set_rollback(True)
    assert {"a queryset", "an iterable"} <= set(audiences.callable_names())


def test_a_function_that_is_not_registered_is_logged_and_leaves_the_other_sources(people, caplog):
    make_trigger(
        contents={"email": HELLO}, audiences=[make_audience(callables=["gone since"], users=[people["bo"]])]
    )
    assert receivers(save_post) == ["bo@example.com"]
    assert "Audience function gone since is not registered and is ignored." in caplog.text


ADDRESSES = [
    # what is known of a user, the text that goes to her phone, why none does
    ({"phone": "+491"}, "+491", None),  # the settings' path, on her profile
    ({"phone": "+491", "point": "+492"}, "+492", None),  # her contact point comes first
    ({"point": "+492"}, "+492", None),  # without a profile
    # Nor is the other address used instead
    ({"phone": "+491", "point": "+492", "verified": False}, None, "unverified"),
    ({"phone": ""}, None, "no_address"),
    ({"phone": "  "}, None, "no_address"),
    ({"phone": " +491 "}, "+491", None),
    ({}, None, "no_address"),
    ({"phone": "+491", "point": "+492", "is_active": False}, None, "inactive"),
]


@pytest.mark.parametrize(("known", "address", "reason"), ADDRESSES)
def test_the_address_comes_from_a_contact_point_or_from_the_settings_path(known, address, reason):
    ada = person("ada", is_active=known.get("is_active", True))
    if "phone" in known:
        Profile.objects.create(user=ada, phone=known["phone"])
    if "point" in known:
        ContactPoint.objects.create(
            user=ada, channel="sms", address=known["point"], verified=known.get("verified", True)
        )
    # A contact point is for its own channel.
    ContactPoint.objects.create(user=ada, channel="twitter", address="@ada")
    make_trigger(contents={"sms": HELLO}, channels=["sms"], audiences=[make_audience(users=[ada])])
    with capture_notifications() as sent:
        save_post()
    assert [message.address for message in sent] == ([address] if address else [])
    assert sent.unsent == ([("sms", f"user:{ada.pk}", reason)] if reason else [])


def test_each_channel_has_its_own_address(people):
    ada = people["ada"]
    Profile.objects.create(user=ada, phone="+491")
    ContactPoint.objects.create(user=ada, channel="email", address="work@example.com")
    addresses = "email: ops@example.com\nsms: +499"
    audience = make_audience(users=[ada], addresses=addresses, paths="email: instance.title")
    make_trigger(contents={"email": HELLO, "sms": HELLO}, channels=["email", "sms"], audiences=[audience])
    with capture_notifications() as sent:
        save_post()
    assert sorted((message.channel, message.address) for message in sent) == [
        ("email", "Linen"), ("email", "ops@example.com"), ("email", "work@example.com"), ("sms", "+491"),
        ("sms", "+499"),
    ]  # fmt: skip


def test_an_address_that_is_a_contact_points_counts_once(people):
    ContactPoint.objects.create(user=people["ada"], channel="email", address="work@example.com")
    audience = make_audience(
        users=[people["ada"]], addresses="email: work@example.com\nemail: ada@example.com"
    )
    make_trigger(contents={"email": HELLO}, audiences=[audience])
    # Her other address is not hers on this channel any more.
    assert receivers(save_post) == ["ada@example.com", "work@example.com"]


def test_no_secret_becomes_an_address(people):
    make_trigger(
        model="auth.user", contents={"email": HELLO}, audiences=[make_audience(paths="instance.password")]
    )
    people["ada"].set_password("open sesame")
    assert receivers(people["ada"].save) == []
    (event,) = Event.objects.all()
    assert people["ada"].password not in str((event.data, event.plan))


def test_lines_that_nobody_validated_are_logged_and_leave_the_other_lines_and_triggers(people, caplog):
    paths = "instance..owner\nfax: instance.owner\ninstance.title"
    addresses = "ops@example.com\nfax: +491\nemail: boss@example.com"
    make_trigger(contents={"email": HELLO}, audiences=[make_audience(paths=paths, addresses=addresses)])
    make_trigger(contents={"email": HELLO}, audiences=[make_audience(users=[people["bo"]])])
    assert receivers(save_post) == ["Linen", "bo@example.com", "boss@example.com"]
    assert "has a line in its paths that cannot be used and is ignored." in caplog.text
    assert "has a line in its addresses that cannot be used and is ignored." in caplog.text
    assert "ops@example.com" not in caplog.text


def test_a_row_that_cannot_be_read_is_logged_and_takes_no_other_along(people, caplog):
    broken = make_trigger(contents={"email": HELLO})
    broken.subscriptions.update(channels=7)
    make_trigger(contents={"email": HELLO}, audiences=[make_audience(users=[people["bo"]])])
    assert receivers(save_post) == ["bo@example.com"]
    assert "A row of notifier.Subscription holds in “channels” what is left out" in caplog.text
