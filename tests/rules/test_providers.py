"""Context providers: registered functions add variables, which an event freezes like the rest."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from notifier.exceptions import ProviderRegistrationError
from notifier.models import Event, Subscription, Template
from notifier.rules import providers
from notifier.testing import assert_notified, capture_notifications
from project.demo.models import Post
from tests.support.builders import make_trigger, make_user

pytestmark = pytest.mark.one_database

FOUND = {"forecast": "sunny", "nested": {"deep": [1, 2]}, "password": "no"}


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    monkeypatch.setattr(providers, "_registry", {})


def make_rule(text, function=lambda context: FOUND, provides=("forecast", "nested", "post")):
    """A rule that mails ``text``, with a provider called weather."""
    providers.register_provider("weather", function, provides=provides)
    trigger = make_trigger(contents={"email": {"text": text}})
    Template.objects.update(providers=["weather"])
    return trigger


@pytest.mark.django_db
def test_a_provider_gets_the_firing_and_what_it_adds_is_rendered():
    user = make_user()
    make_rule(
        "{{ forecast }} {{ nested.deep.1 }} {{ post.title }} {{ instance.title }}",
        lambda context: (
            FOUND
            | {"forecast": context["instance"].title.upper(), "post": context["instance"], "instance": None}
        ),
    )
    with capture_notifications() as sent:
        Post.objects.create(title="rain")
    assert_notified(sent, user, containing="RAIN 2 rain rain")
    # Only what the template names; an undeclared name changes nothing.
    assert Event.objects.get().data["nested"] == {"deep": [1, 2]}
    assert set(Event.objects.get().data) == {"forecast", "nested", "post", "instance"}


@pytest.mark.django_db
def test_a_provider_is_not_asked_for_what_nobody_reads():
    make_rule("{{ instance.title }}", lambda context: pytest.fail("asked"))
    Post.objects.create(title="x")
    assert Event.objects.get().status == Event.Status.RECORDED


def broken_query(context):
    with connection.cursor() as cursor:
        cursor.execute("SELECT nonsense FROM nowhere")


FAILING = [
    # the function, what the event says
    (lambda context: 1 / 0, "The context provider “weather” failed: ZeroDivisionError."),
    (lambda context: None, "returned NoneType, not a dict"),
    (broken_query, "Error. The log has the trace."),
    (lambda context: context["instance"].delete_everything(), "failed: AttributeError"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("function", "words"), FAILING)
def test_a_provider_that_fails_fails_the_event_with_its_reason_and_not_the_caller(function, words):
    make_rule("{{ forecast }}", function)
    with transaction.atomic():
        Post.objects.create(title="saved")
    event = Event.objects.get()
    assert (event.status, event.data, Post.objects.get().title) == (Event.Status.FAILED, {}, "saved")
    assert words in event.reason


@pytest.mark.django_db
def test_a_provider_that_is_gone_fails_the_event():
    make_rule("{{ forecast }}")
    providers._registry.clear()
    Post.objects.create(title="x")
    assert Event.objects.get().reason == "The context provider “weather” is registered no more."


@pytest.mark.django_db
def test_a_provider_cannot_change_what_others_read():
    user = make_user()
    make_rule(
        "{{ forecast }}{{ verb }}",
        lambda context: context.update(verb="hacked") or {"forecast": "x", "verb": "hacked"},
    )
    with capture_notifications() as sent:
        Post.objects.create(title="x")
    assert_notified(sent, user, containing="xpost_save")


REGISTRATIONS = [
    # name, provides, what is said
    ("p", [], "must say which names"),
    ("p", ["user"], "user, which templates use"),
    ("p", ["verb", "target"], "target, verb, which templates use"),
    ("p", ["block"], "block, which templates use"),
    ("p", ["forloop"], "forloop, which"),
    ("p", ["a b"], "must say which names"),
    ("p", ["_private"], "must say which names"),
    ("p", ["forecast"], "so does “weather”"),
    ("weather", ["other"], "taken by another provider"),
]


@pytest.mark.parametrize(("name", "provides", "words"), REGISTRATIONS)
def test_a_registration_that_would_hide_something_is_refused(name, provides, words):
    providers.register_provider("weather", dict, provides=["forecast"])
    providers.register_provider("weather", dict, provides=["forecast"])  # the same again changes nothing
    with pytest.raises(ProviderRegistrationError, match=words):
        providers.register_provider(name, dict, provides=provides)


@pytest.mark.django_db
def test_what_a_template_names_is_checked_when_it_is_saved():
    providers.register_provider("weather", dict, provides=["forecast"])
    providers.register_provider("clash", dict, provides=["created"])
    trigger = make_trigger(contents={"email": {"text": "{{ forecast }}"}})
    template = Template.objects.get()
    content, subscription = (
        template.contents.get(),
        Subscription(trigger=trigger, template=template, channels=["email"]),
    )
    with pytest.raises(ValidationError, match="has no “forecast”"):
        subscription.full_clean(exclude=["audiences"])
    template.providers = ["nonsense"]
    with pytest.raises(
        ValidationError, match="There is no context provider nonsense. There are: clash, weather."
    ):
        template.full_clean()
    template.providers = ["clash"]
    with pytest.raises(ValidationError, match="“clash” gives created, and so does the signal post_save"):
        template.full_clean()
    template.providers = ["weather"]
    template.full_clean()
    template.save()
    content.refresh_from_db()
    content.full_clean()
    subscription.template.refresh_from_db()
    subscription.full_clean(exclude=["audiences"])
