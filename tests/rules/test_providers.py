"""Context providers: registered functions add variables, which an event freezes like the rest."""

from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.template.base import VariableNode

from notifier.exceptions import ProviderRegistrationError, UnreadablePath
from notifier.explaining import preview
from notifier.models import Delivery, Event, Subscription, Template
from notifier.rules import offers, providers
from notifier.testing import assert_notified, capture_notifications
from project.demo.models import Post
from tests.support.builders import make_audience, make_trigger, make_user

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


def make_personal_rule(
    text="{{ points }}", function=lambda context, user: {"points": user.username}, **options
):
    providers.register_provider("points", function, provides=["points"])
    trigger = make_trigger(contents={"email": {"text": text}}, **options)
    Template.objects.update(providers=["points"])
    return trigger


def count_of(context, user):
    return {"points": f"{context['instance']['title']}{context['action_object']['pk']} {user.email}"}


@pytest.mark.django_db
def test_a_provider_that_takes_a_user_is_asked_for_each_person():
    people = [make_user(email=f"{name}@example.com") for name in ("ada", "bo")]
    make_personal_rule("{{ instance.title }}: {{ points }}", count_of)
    with capture_notifications() as sent:
        post = Post.objects.create(title="rain")
    for user in people:
        assert_notified(sent, user, containing=f"rain: rain{post.pk} {user.email}")
    assert "points" not in Event.objects.get().data  # of nobody alone
    assert not Event.objects.get().dead_ends


def fail_for_bo(context, user):
    return {"points": 7 if user.username == "ada" else 1 / 0}


def break_for_bo(context, user):
    return {"points": 7} if user.username == "ada" else broken_query(context)


@pytest.mark.django_db
@pytest.mark.parametrize("function", [fail_for_bo, break_for_bo])
def test_a_provider_that_fails_for_one_person_fails_that_delivery_alone(function, caplog):
    ada, bo = make_user(username="ada"), make_user(username="bo", email="bo@example.com")
    make_personal_rule("{{ points }}", function)
    with capture_notifications() as sent:
        Post.objects.create(title="rain")
    assert_notified(sent, ada, containing="7")
    failed = Delivery.objects.get(recipient=f"user:{bo.pk}")
    assert (failed.status, failed.reason) == ("failed", "template_failed")
    assert "The context provider “points” failed: " in failed.detail
    assert Event.objects.get().status == Event.Status.DONE


# What is read of what it gives: as of an event's own data
GIVEN = [
    # the template's text, what the provider gives, what a person reads
    ("{{ points }}", 7, "7"),
    ("{% if points > 5 %}many{% else %}few{% endif %}", 7, "many"),
    ("{% for one in points %}{{ one.title }}{% endfor %}", [Post(title="a"), Post(title="b")], "ab"),
    ("{% for a in points.all %}{{ a.title }}{% endfor %}", Post.objects.none(), ""),
    ("{% with p=points %}{{ p.deep.1 }}{% endwith %}", {"deep": [1, 2]}, "2"),
    ("{{ points.save }}{{ points.title }}", Post(title="a"), "a"),  # nothing is called
    ("{{ points|upper }}{{ instance.title }}{{ user.username }}", "x", "XrainAda"),
    ("{{ points }}", object(), "None"),
    ("[{{ points }}]", None, "[None]"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("text", "given", "words"), GIVEN)
def test_what_it_gives_is_read_as_data(text, given, words):
    user = make_user(username="Ada")
    make_personal_rule(text, lambda context, user: {"points": given, "verb": "hacked", "user": "hacked"})
    with capture_notifications() as sent:
        Post.objects.create(title="rain")
    assert [each.text for each in sent if each.recipient == f"user:{user.pk}"] == [words]


@pytest.mark.django_db
def test_what_does_not_read_it_is_rendered_once(monkeypatch):
    rendered = []
    monkeypatch.setattr(VariableNode, "render", counting(VariableNode.render, rendered))
    for _ in range(5):
        make_user()
    make_personal_rule("{{ instance.title|upper }} {{ instance.body|upper }} {{ points|upper }}")
    with capture_notifications():
        Post.objects.create(title="rain", body="x")
    assert len([name for name in rendered if name.startswith("instance")]) == 2
    assert rendered.count("points") == 5


def counting(render, rendered):
    def count(self, context):
        rendered.append(self.filter_expression.var.var)
        return render(self, context)

    return count


@pytest.mark.django_db
def test_a_plain_address_is_no_person():
    make_personal_rule(
        "[{{ points }}]",
        lambda context, user: pytest.fail("asked"),
        audiences=[make_audience(addresses="email: ops@example.com")],
    )
    with capture_notifications() as sent:
        Post.objects.create(title="rain")
    assert [each.text for each in sent] == ["[]"]


@pytest.mark.django_db
def test_a_digest_asks_once_a_person_and_the_name_is_not_of_an_event():
    trigger = make_personal_rule()
    tree = {"events": {"*": {"points": {"": {}}}}}
    with pytest.raises(UnreadablePath, match="Write points, without the event"):
        offers.check_paths(tree, trigger, ["points"])
    offers.check_paths({"points": {"": {}}, "events": {"*": {"instance": {"": {}}}}}, trigger, ["points"])


@pytest.mark.django_db
def test_a_condition_and_an_audience_come_before_the_person():
    trigger = make_personal_rule()
    trigger.condition = "points > 7"
    with pytest.raises(ValidationError, match="has no “points”"):
        trigger.full_clean()
    assert make_audience(paths="points.owner").problems_with(trigger)


@pytest.mark.django_db
def test_previews_and_tests_ask_for_the_person_who_looks():
    ada = make_user(username="ada", email="ada@example.com")
    make_personal_rule("{{ points }} {{ instance.title }}")
    Post.objects.create(title="rain")
    content = Template.objects.get().contents.get()
    found = preview.preview(content, event=Event.objects.get(), person=ada)
    assert found.parts["text"] == "ada rain"
    assert preview.preview(content, person=ada).parts["text"].startswith("Points ")  # of no event
    assert preview.preview(content, event=Event.objects.get()).parts["text"] == "Points rain"
    with capture_notifications() as sent:
        preview.send_to(ada, content, found, "ada@example.com")
    assert [each.text for each in sent] == ["ada rain"]
    providers._registry.clear()
    providers.register_provider("points", lambda context, user: 1 / 0, provides=["points"])
    (fault,) = preview.preview(content, event=Event.objects.earliest("pk"), person=ada).errors
    assert "The context provider “points” failed: ZeroDivisionError" in fault.text


class Asked:
    def __call__(self, context, user):
        return {}

    def method(self, context, *, user=None):
        return {}


@pytest.mark.parametrize(
    ("function", "is_personal"),
    [
        (lambda context, user: {}, True),
        (Asked(), True),
        (Asked().method, True),
        (partial(count_of, {}), True),
        (lambda context: {}, False),
        (lambda context, **more: {}, False),
        (dict, False),
    ],
)
def test_whether_it_takes_a_user_decides(function, is_personal):
    providers.register_provider("points", function, provides=["points"])
    assert bool(providers.personal_names()) == is_personal
