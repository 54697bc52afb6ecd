"""``manage.py notify``: what happens in a terminal, what it says, and with which code it ends."""

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifier.management.terminal.progress import Progress
from notifier.models import Delivery, Event, Pause, RuleCount, Trigger
from project.demo.models import Movie, Post, Profile
from tests.support.builders import make_audience, make_subscription, make_template, make_trigger, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

MAIL = {
    "email": {
        "subject": "{{ instance.title }}",
        "html": "<p>Hello {{ user.first_name }}, {{ instance.title }}</p>",
    }
}


def notify(*arguments):
    """What ``notify`` writes: ``(standard output, standard error)``."""
    out, err = StringIO(), StringIO()
    call_command("notify", *map(str, arguments), stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def rule():
    """Mail to all active users when a post is created."""
    return make_trigger(
        name="Post created", on="created", contents=MAIL, audiences=[make_audience(everyone=True)]
    )


@pytest.fixture
def post():
    """One that was written before there were rules."""
    return Post.objects.bulk_create([Post(title="Linen & wool")])[0]


# emit


def test_emit_says_which_events_it_made(rule, post):
    out, _ = notify("emit", "post_save", "--instance", f"demo.post:{post.pk}", "--created")
    event = Event.objects.get()
    assert out == f"Event {event.pk}: Post created, recorded.\n"
    assert event.data["instance"]["title"] == "Linen & wool"


def test_emit_says_when_nothing_matched(rule, post):
    out, _ = notify("emit", "post_save", "--instance", f"demo.post:{post.pk}", "--updated")
    assert out == "No event: no live trigger of post_save matches. `notify rules` lists them.\n"


def test_the_same_key_again_makes_no_second_event(rule, post):
    arguments = ["emit", "post_save", "--instance", f"demo.post:{post.pk}", "--created", "--key", "once"]
    notify(*arguments)
    assert "or the key was used before" in notify(*arguments)[0]
    assert Event.objects.count() == 1


# what is written, what the signal gets
@pytest.mark.parametrize(
    ("written", "value"),
    [("[1, 2]", [1, 2]), ("true", True), ("no json", "no json"), ("a:b", "a:b"), ("", "")],
)
def test_arguments_are_json_or_text(written, value):
    from notifier.management.terminal.emit import _argument

    assert _argument("post_save", f"name={written}") == ("name", value)


def test_an_argument_that_reads_as_an_object_is_one():
    movie = Movie.objects.create(title="The Third Man")
    person = make_user()
    movie.audiences.add(person)
    contents = {"email": {"subject": "{{ movie.title }}", "text": "-"}}
    make_trigger(
        verb="notify_audiences",
        model="",
        contents=contents,
        audiences=[make_audience(paths="movie.audiences")],
    )
    notify(
        "emit",
        "notify_audiences",
        "--arg",
        f"movie=demo.movie:{movie.pk}",
        "--actor",
        f"auth.user:{person.pk}",
    )
    event = Event.objects.get()
    assert event.data["movie"]["title"] == "The Third Man"
    assert event.actor == f"auth.user:{person.pk}"


# render


def test_render_writes_the_message_that_a_person_would_get(rule, post):
    person = make_user(first_name="Ada")
    template = rule.subscriptions.get().template.name
    arguments = [
        "render",
        template,
        "--channel",
        "email",
        "--instance",
        f"demo.post:{post.pk}",
        "--user",
        person.username,
    ]
    assert notify(*arguments)[0] == "Subject: Linen & wool\n\nHello Ada, Linen & wool\n"
    assert "<p>Hello Ada, Linen &amp; wool</p>" in notify(*arguments, "--html")[0]
    assert notify(*arguments, "--text")[0] == "Hello Ada, Linen & wool\n"
    data = json.loads(notify(*arguments, "--json")[0])
    assert (data["subject"], data["version"], data["made_up"]) == ("Linen & wool", 1, [])


def test_render_takes_an_events_data_and_says_what_is_made_up(rule, post):
    template = rule.subscriptions.get().template
    notify("emit", "post_save", "--instance", f"demo.post:{post.pk}", "--created")
    content = template.contents.get()
    content.subject = "{{ instance.title }}: {{ instance.body }}"
    content.save()
    out, err = notify("render", template.name, "--channel", "email", "--event", Event.objects.get().pk)
    assert out.startswith("Subject: Linen & wool: ")
    assert "Made up, as the event does not hold it: instance.body." in err


def test_render_without_an_event_makes_up_its_data(rule):
    out, _ = notify("render", rule.subscriptions.get().template.name, "--channel", "email")
    assert out.startswith("Subject: ")


def test_render_chooses_the_content_of_the_language():
    template = make_template({"email": {"text": "Hello"}})
    template.contents.create(channel="email", language="de", text="Hallo")
    arguments = ["render", template.name, "--channel", "email", "--text"]
    assert notify(*arguments)[0] == "Hello\n"
    assert notify(*arguments, "--language", "de-at")[0] == "Hallo\n"


def test_render_says_how_long_a_text_is():
    template = make_template({"sms": {"text": "x" * 200}})
    assert "2 parts" in notify("render", template.name, "--channel", "sms")[1]


# send-test


def test_a_test_goes_to_one_person_alone(cloud, pump, rule):
    person, _other = make_user(email="ada@example.com"), make_user()
    out, _ = notify(
        "send-test", rule.subscriptions.get().template.name, "--channel", "email", "--to", person.username
    )
    delivery = Delivery.objects.get()
    assert out == f"On its way to ada@example.com: delivery {delivery.pk}.\n"
    assert delivery.is_test


def test_a_test_goes_only_where_it_can():
    person = make_user(email="")
    template = make_template({"email": {"text": "Hello"}, "twitter": {"text": "Hello"}})
    with pytest.raises(CommandError, match="has no address on email that can be used"):
        notify("send-test", template.name, "--channel", "email", "--to", person.username)
    with pytest.raises(CommandError, match="is public, so it is not tested on people"):
        notify("send-test", template.name, "--channel", "twitter", "--to", person.username)
    assert not Delivery.objects.exists()


# rules


def test_rules_are_a_line_each_from_the_signal_to_the_audience(rule):
    name, audience = rule.subscriptions.get().template.name, rule.subscriptions.get().audiences.get().name
    head, line = notify("rules")[0].splitlines()
    assert head.split() == ["SIGNAL", "WHEN", "TRIGGER", "TEMPLATE", "CHANNELS", "AUDIENCES", "STATE"]
    assert [cell.strip() for cell in line.split("  ") if cell.strip()] == [
        "post_save", "demo.post created", "Post created", name, "email", audience, "live",
    ]  # fmt: skip


def test_rules_say_what_each_has_sent_in_30_days(rule):
    subscription = rule.subscriptions.get()
    for days, status, number in (1, "sent", 1204), (29, "unknown", 2), (31, "sent", 5):
        RuleCount.objects.create(
            hour=timezone.now() - dt.timedelta(days=days), trigger_id=rule.pk,
            subscription_id=subscription.pk, channel="email", status=status, number=number,
        )  # fmt: skip
    (row,) = json.loads(notify("rules", "--json")[0])
    assert row["in_30_days"] == {"sent": 1204, "skipped": 0, "failed": 2}
    assert notify("rules")[0].splitlines()[1].endswith("live   1,204 sent, 2 failed")


# what is changed on the trigger, its subscription, what is paused; what the line says
@pytest.mark.parametrize(
    ("trigger", "subscription", "paused", "state"),
    [
        ({}, {}, "", "live"),
        ({"shadow": True}, {}, "", "shadow"),
        ({"enabled": False}, {}, "", "off"),
        ({}, {"enabled": False}, "", "off"),
        ({}, {}, "everything", "paused"),
        ({}, {}, "trigger", "paused"),
        ({}, {}, "channel:email", "email paused"),
        ({}, {}, "channel:sms", "live"),
        ({"verb": "gone"}, {}, "", "unknown signal"),
        ({}, None, "", "sends nothing"),
    ],
)
def test_rules_say_in_which_state_each_is(trigger, subscription, paused, state):
    made = make_trigger(subscribe=False, **trigger)
    if subscription is not None:
        make_subscription(made, **subscription)
    if paused:
        Pause.objects.create(scope=f"trigger:{made.pk}" if paused == "trigger" else paused)
    assert [row["state"] for row in json.loads(notify("rules", "--json")[0])] == [state]


def test_rules_are_found_by_signal_and_channel(rule):
    Trigger.objects.filter(pk=rule.pk).update(
        condition="instance.title", actor_model="auth.user", actor_pk="5", target="x"
    )
    assert (
        "demo.post created by auth.user 5 for x if instance.title"
        in notify("rules", "--signal", "post_save")[0]
    )
    assert notify("rules", "--signal", "post_delete")[0] == "There are no such rules.\n"
    assert notify("rules", "--channel", "sms", "--json")[0] == "[]\n"
    Trigger.objects.all().delete()
    assert notify("rules")[0] == "There are no rules yet.\n"


def test_rules_cost_a_few_queries_whatever_their_number(django_assert_max_num_queries):
    for number in (1, 4):
        for _ in range(number):
            make_trigger()
        # Six of the rules themselves, the others of what they name and is gone.
        with django_assert_max_num_queries(14):
            notify("rules")


# explain


def test_explain_says_why(rule, post):
    person = make_user(first_name="Ada", email="")
    Profile.objects.create(user=person, phone="+44 7400 123401")
    out, _ = notify("explain", person.username, f"demo.post:{post.pk}")
    assert "Ada would not get it by e-mail: there is no address for e-mail." in out
    rows = json.loads(notify("explain", person.username, f"demo.post:{post.pk}", "--json")[0])
    assert [(row["trigger"], row["channel"], row["outcome"]) for row in rows] == [
        ("Post created", "email", "would not get it")
    ]


def test_explain_goes_through_the_events_of_a_time(rule, post):
    person = make_user()
    assert notify("explain", person.username)[0] == "No event in this time.\n"
    notify("emit", "post_save", "--instance", f"demo.post:{post.pk}", "--created")
    assert f"#{Event.objects.get().pk} post_save demo.post:{post.pk}" in notify("explain", person.username)[0]
    assert notify("explain", person.username, "--until", "2020-01-01")[0] == "No event in this time.\n"


# What it refuses.

# the words, the message, the exit code
REFUSED = [
    ("emit nothing", "No signal is registered as “nothing”. Known: ", 2),
    ("emit post_save --created", "give it instance=", 2),
    ("emit post_save --instance demo.post:1", "There is no post “1”.", 2),
    ("emit post_save --instance demo.nope:1", "There is no model “demo.nope”. Write app_label.model:key", 2),
    ("emit post_save --instance demo.post", "The key is missing. Write app_label.model:key", 2),
    ("emit post_save --instance demo.post:x", "There is no post “x”.", 2),
    ("emit notify_audiences --arg movie", "--arg movie: write name=value.", 2),
    ("emit notify_audiences --arg film=1", "The signal notify_audiences has no argument film.", 2),
    ("emit notify_audiences --arg key=1", "--arg key: this has an option of its own", 2),
    ("emit post_save --created --updated", "not allowed with argument", None),
    ("render nothing --channel email", "There is no template “nothing”. There are: broken, hello.", 2),
    ("render hello --channel sms", "“hello” has no content for the channel “sms”. It has: email.", 2),
    ("render hello --channel email --user nobody", "There is no user “nobody”. Write a username.", 2),
    ("render hello --channel email --event 99", "There is no event 99.", 2),
    ("render hello --channel email --html", "“hello” has no HTML on email.", 2),
    (
        "render hello --channel email --instance auth.user:{user}",
        "No live trigger sends “hello” by email for a user.",
        1,
    ),
    ("render broken --channel email", "broken · email cannot be rendered.\n  text: ", 1),
    ("render hello", "the following arguments are required: --channel", None),
    ("send-test hello --channel email --to nobody", "There is no user “nobody”.", 2),
    ("rules --signal nothing", "No signal is registered as “nothing”.", 2),
    ("rules --channel fax", "There is no channel “fax”. There are: chat, email", 2),
    ("explain nobody 1", "Nobody is called “nobody”.", 2),
    ("explain reader 99", "There is no event “99”.", 2),
    ("explain reader 99 --since 2026-01-01", "Write a subject or a time", 2),
    ("explain reader --since yesterday", "“yesterday” is no day or time.", 2),
    ("explain reader --channel fax", "There is no channel “fax”.", 2),
    ("dance", "invalid choice: 'dance'", None),
]


@pytest.mark.parametrize(("words", "message", "code"), REFUSED)
def test_what_cannot_be_done_says_what_and_what_to_write(words, message, code):
    user = make_user(username="reader")
    template = make_template({"email": {"text": "Hello"}})
    # Nobody checked it: its trigger's model has nothing of the sort.
    broken = make_trigger(contents={"email": {"text": "{{ instance.nothing }}"}}).subscriptions.get().template
    for each, name in (template, "hello"), (broken, "broken"):
        each.name = name
        each.save()
    with pytest.raises(CommandError) as error:
        notify(*words.format(user=user.pk).split())
    assert message in str(error.value)
    assert code is None or error.value.returncode == code
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    "words", [["--help"], *([name, "--help"] for name in ("emit", "render", "send-test", "rules", "explain"))]
)
def test_every_help_has_examples(words, capsys):
    with pytest.raises(SystemExit) as end:
        notify(*words)
    assert end.value.code == 0
    assert "examples:\n" in capsys.readouterr().out


# Progress.


class Terminal(StringIO):
    """A stream that is, or is not, looked at."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def isatty(self):
        return self.seen

    def write(self, text, style_func=None, ending=""):
        return super().write(text + ending)


@pytest.mark.parametrize(("seen", "written"), [(True, "\rrules: 1 of 2\rrules: 2 of 2\r\x1b[K"), (False, "")])
def test_progress_is_shown_on_a_terminal_alone(seen, written):
    stream = Terminal(seen)
    progress = Progress(stream, "rules")
    for done in (1, 2, 2):
        progress(done, 2)
    progress.end()
    assert stream.getvalue() == written
