"""Rules that code declares: rows that follow it, through every deployment, until a person takes one over."""

from io import StringIO

import pytest
import yaml
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifier import notify_on
from notifier.events.index import index
from notifier.models import Audience, Delivery, Event, RulesVersion, Subscription, Template, Trigger
from notifier.rulefiles import declared, texts
from notifier.rules import declarations
from notifier.testing import assert_notified, capture_notifications
from project.demo.models import Movie, Post
from tests.support.builders import make_audience, make_template, make_trigger, make_user
from tests.support.declaring import only_declared
from tests.support.observing import register

pytestmark = [pytest.mark.django_db]

Kept = Trigger.Kept
MAIL = {"email": {"subject": "{{ instance.title }}", "text": "Hello {{ user.first_name }}"}}
OWN = {"key": "news", "contents": MAIL, "channels": ["email"], "audience": {"everyone": True}}


@pytest.fixture(autouse=True)
def _declarations_of_this_test():
    with only_declared():
        yield


def migrate():
    """As a deployment does at its end."""
    emit_post_migrate_signal(0, False, "default")


def deploy(*declarations_of_it):
    """Let a release that declares these, as ``(verb, details, model)``, be the one that runs."""
    declarations._declared.clear()
    for verb, details, model in declarations_of_it:
        made = notify_on(verb, **details)
        if model:
            made(model)
    migrate()


NEWS = ("post_save", OWN | {"saved": "created"}, Post)


def rule():
    return Trigger.objects.get(name="news")


def test_a_declared_rule_is_a_row_after_the_migration_and_sends():
    deploy(NEWS)
    assert (rule().declared, rule().on, rule().model) == (Kept.CODE, "created", "demo.post")
    make_user(first_name="Ada", email="ada@example.com")
    with capture_notifications() as sent:
        post = Post.objects.create(title="Linen")
        post.save()
    assert_notified(sent, "ada@example.com", containing="Linen")
    assert len(sent) == 1
    assert [event.trigger for event in Event.objects.all()] == [rule()]


def test_it_is_live_in_the_index_of_a_process_as_any_rule_is():
    deploy(NEWS)
    assert [trigger.name for trigger in index.live("post_save")] == ["news"]


def test_a_template_an_audience_and_a_category_of_the_database_are_named():
    template, audience = make_template(MAIL), make_audience(everyone=True)
    details = {"key": "news", "template": template.name, "channels": "email", "audience": audience.name}
    deploy(("post_save", details | {"throttle_number": 3, "throttle_minutes": 60, "delay_minutes": 5}, Post))
    subscription = Subscription.objects.get()
    assert (subscription.template, list(subscription.audiences.all())) == (template, [audience])
    assert (subscription.throttle_number, rule().delay_minutes) == (3, 5)
    assert {template.declared, audience.declared} == {""}


def test_a_rule_of_a_signal_of_ones_own():
    register("order_placed_in_code")
    deploy(("order_placed_in_code", OWN | {"contents": {"email": {"subject": "Hi", "text": "Hi"}}}, None))
    assert (rule().verb, rule().model) == ("order_placed_in_code", "")


def test_a_migration_that_finds_all_as_it_is_changes_nothing():
    deploy(NEWS)
    version, token = Template.objects.get().contents.get().version_id, RulesVersion.objects.get().token
    read = ("SELECT", "SAVEPOINT", "RELEASE")
    with CaptureQueriesContext(connection) as captured:
        assert declared.keep_declared() == ([], {})
    assert not [each["sql"] for each in captured if not each["sql"].startswith(read)]
    assert Template.objects.get().contents.get().version_id == version
    assert RulesVersion.objects.get().token == token


def test_what_code_changes_the_row_follows():
    deploy(NEWS)
    first = Subscription.objects.get()
    contents = {"email": MAIL["email"] | {"subject": "New: {{ instance.title }}"}}
    people = {"paths": ["email: instance.title"]}
    details = OWN | {"contents": contents, "audience": people, "condition": 'instance.title == "A"'}
    deploy(("post_save", details, Post))
    assert (rule().on, rule().condition) == ("any", 'instance.title == "A"')
    assert Subscription.objects.get() == first
    version = Template.objects.get().contents.get().version
    assert (version.number, version.author, version.note) == (2, "code", f"From {Post.__module__}.Post.")
    assert Audience.objects.get().paths == "email: instance.title"


def test_a_channel_that_code_leaves_out_is_gone():
    sms = {"sms": {"text": "{{ instance.title }}"}}
    deploy(("post_save", OWN | {"contents": MAIL | sms, "channels": ["email", "sms"]}, Post))
    deploy(NEWS)
    assert [each.channel for each in Template.objects.get().contents.all()] == ["email"]
    assert Subscription.objects.get().channels == ["email"]


# Switching off, taking over


def test_what_a_person_has_switched_off_stays_off():
    deploy(NEWS)
    Trigger.objects.update(enabled=False)
    deploy(("post_save", OWN, Post))
    assert (rule().enabled, rule().on) == (False, "any")


def test_a_rule_that_a_person_took_over_is_theirs_whatever_code_says():
    deploy(NEWS)
    assert {str(row) for row in declared.release("news")} == {"news"}
    Trigger.objects.update(condition='instance.title == "Mine"')
    Template.objects.get().contents.update(subject="Mine")
    deploy(("post_save", OWN | {"saved": "updated"}, Post))
    assert (rule().declared, rule().on, rule().condition) == ("", "created", 'instance.title == "Mine"')
    assert Template.objects.get().contents.get().subject == "Mine"


def test_a_row_that_was_there_before_the_code_wins_by_its_key():
    mine = make_trigger(name="news", model="demo.movie")
    deploy(NEWS)
    assert (rule(), rule().model, rule().declared) == (mine, "demo.movie", "")


def test_words_and_people_that_a_person_took_over_stay_while_the_rule_follows_code():
    deploy(NEWS)
    Template.objects.update(declared="")
    Audience.objects.update(declared="", everyone=False)
    Template.objects.get().contents.update(subject="Mine")
    contents = {"email": MAIL["email"] | {"subject": "Code’s"}}
    deploy(("post_save", OWN | {"contents": contents, "saved": "updated"}, Post))
    assert rule().on == "updated"
    assert Template.objects.get().contents.get().subject == "Mine"
    assert not Audience.objects.get().everyone


def test_a_row_that_was_deleted_is_made_again_as_code_says():
    deploy(NEWS)
    declared.release("news")
    for model in (Trigger, Template, Audience):
        model.objects.all().delete()
    migrate()
    assert rule().is_in_code


# Retired, and back again


def test_a_rule_that_code_declares_no_more_is_off_and_its_events_keep_it():
    deploy(NEWS)
    make_user()
    Post.objects.create(title="Linen")
    deploy()
    assert (rule().enabled, rule().declared) == (False, Kept.RETIRED)
    assert {Template.objects.get().is_retired, Audience.objects.get().is_retired} == {True}
    Post.objects.create(title="Wool")
    assert Event.objects.get().trigger == rule()


@pytest.mark.parametrize("was_on", [True, False])
def test_a_rule_that_comes_back_is_as_it_was(was_on):
    """A deployment that is taken back, and made again."""
    deploy(NEWS)
    first = rule().pk
    Trigger.objects.update(enabled=was_on)
    deploy()
    deploy()
    assert not rule().enabled
    deploy(NEWS)
    assert (rule().pk, rule().enabled, rule().declared) == (first, was_on, Kept.CODE)


def test_of_two_releases_the_one_that_migrated_last_decides_for_both():
    """The functions of the older one go by the rows, as all do, until they end."""
    deploy(NEWS)
    newer = ("post_save", OWN | {"key": "films", "contents": MAIL}, Movie)
    deploy(newer)
    assert [trigger.name for trigger in index.live("post_save")] == ["films"]
    deploy(NEWS)
    assert [trigger.name for trigger in index.live("post_save")] == ["news"]


def test_an_older_release_goes_on_adding_rows_without_knowing_the_column():
    """Its INSERT names the columns that it knows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notifier_audience (name, everyone, paths, callables, addresses) "
            "VALUES ('Old', %s, '', '[]', '')", [True],
        )  # fmt: skip
    assert Audience.objects.get().declared == ""


# What is wrong with one


def wrong_with(*declarations_of_it):
    deploy(*declarations_of_it)
    (problem,) = declared.keep_declared()[1].values()
    found = run_checks(tags=[Tags.compatibility, Tags.database], databases=["default"])
    return problem, [(each.id, each.msg) for each in found if each.id in (IN_CODE, HERE)]


# Wrong whatever the database has, and wrong here: the two checks.
IN_CODE, HERE = "notifier.E013", "notifier.W010"
# What is declared, what is said of it by `rules declared`, and which check knows it. What only writing it
# could show is said to be missing.
MISSING = ""
WRONG = [
    ({"template": "gone", "contents": None}, "no template “gone” in code, nor in the database", HERE),
    ({"audience": "Nobody’s"}, "no audience “Nobody’s”", HERE),
    ({"category": "gone"}, "no category “gone”", HERE),
    ({"channels": ["pigeon"]}, "pigeon", IN_CODE),
    ({"channels": ["email", "sms"]}, "no content for: sms", MISSING),
    ({"contents": {"email": {"subject": "{{ instance.nonsense }}", "text": "."}}}, "nonsense", MISSING),
    ({"contents": {"email": {"subject": "{% load x %}", "text": "."}}}, "load", MISSING),
    ({"contents": {"email": {"body": "."}}}, "no “body” here", IN_CODE),
    ({"audience": {"people": ["ada"]}}, "no “people” here", IN_CODE),
    ({"audience": {"paths": ["instance.nonsense"]}}, "nonsense", MISSING),
    ({"audience": ()}, "“audiences” is missing", IN_CODE),
    ({"condition": "instance.nonsense"}, "nonsense", MISSING),
    ({"saved": "sometimes"}, "sometimes", MISSING),
    ({"throttle_number": "three"}, "whole number", IN_CODE),
    ({"throttle_number": 3}, "Say both", MISSING),
    ({"colour": "red"}, "no “colour” here", IN_CODE),
    ({"shadow": "perhaps"}, "true or false", IN_CODE),
]


@pytest.mark.parametrize(("details", "said", "known"), WRONG)
def test_what_is_wrong_is_said_and_harms_no_other_rule(details, said, known, caplog):
    good = ("post_save", OWN | {"key": "good"}, Post)
    problem, warned = wrong_with(("post_save", OWN | details, Post), good)
    assert said in problem
    assert f"“news” of {Post.__module__}.Post" in caplog.text
    assert said in caplog.text
    assert Trigger.objects.get().name == "good"
    ((check, text),) = warned
    assert f"“news”, declared in {Post.__module__}.Post" in text
    assert check == (known or HERE)
    assert (said.split(" in code")[0] if known else "run migrate") in text


@pytest.mark.parametrize(
    ("verb", "said"),
    [("gone", "No signal is registered as “gone”"), ("post_save", "The signal post_save needs a model")],
)
def test_a_signal_that_cannot_be_so_is_said(verb, said):
    assert said in wrong_with((verb, OWN, None))[0]


def test_one_that_becomes_wrong_keeps_the_row_that_it_has():
    deploy(NEWS)
    deploy(("post_save", OWN | {"condition": "instance.nonsense"}, Post))
    assert (rule().on, rule().condition, rule().enabled) == ("created", "", True)


def test_a_rule_that_is_kept_is_nothing_to_check():
    deploy(NEWS)
    assert run_checks(tags=[Tags.compatibility, Tags.database], databases=["default"]) == []


def test_starting_and_declaring_ask_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        notify_on("post_save", **OWN)(Post)


# Files, and the commands


def test_an_export_leaves_it_out_and_says_so():
    deploy(NEWS)
    make_trigger(name="Mine")
    out, err = StringIO(), StringIO()
    call_command("rules", "export", stdout=out, stderr=err)
    document = yaml.safe_load(out.getvalue())
    assert list(document["triggers"]) == ["Mine"]
    assert "news" not in document["templates"]
    assert "what code declares, “news”" in err.getvalue()


def test_an_import_with_prune_leaves_it_alone_and_may_name_what_it_declares():
    deploy(NEWS)
    text = (
        "version: 1\ntriggers:\n  Mine:\n    signal: post_save\n    model: demo.post\n    subscriptions:\n"
        "      - {template: news, channels: [email], audiences: [news]}\n"
    )
    changes = texts.import_text(text, prune=True)
    assert {change.action for change in changes} == {"created"}
    assert rule().is_in_code


def test_a_file_that_names_it_takes_it_over_and_says_so():
    deploy(NEWS)
    text = (
        "version: 1\ntriggers:\n  news:\n    signal: post_save\n    model: demo.post\n    saved: created\n"
        "    subscriptions:\n      - {template: news, channels: [email], audiences: [news]}\n"
    )
    (change,) = texts.import_text(text)
    assert (change.action, change.fields) == ("changed", (("kept", "code", "in the database"),))
    deploy(("post_save", OWN | {"saved": "updated"}, Post))
    assert (rule().declared, rule().on) == ("", "created")
    # What it was declared with is nobody's but people's either.
    assert {Template.objects.get().declared, Audience.objects.get().declared} == {""}


def test_the_command_brings_in_what_is_declared_and_says_what_it_did():
    notify_on("post_save", **OWN)(Post)
    out = StringIO()
    call_command("rules", "declared", stdout=out)
    assert "created trigger “news”" in out.getvalue()
    out = StringIO()
    call_command("rules", "declared", stdout=out)
    assert out.getvalue() == "Nothing to change.\n"
    declarations._declared.clear()
    out = StringIO()
    call_command("rules", "declared", stdout=out)
    assert "retired trigger “news”" in out.getvalue()
    notify_on("post_save", **OWN | {"template": "gone", "contents": None})(Post)
    with pytest.raises(CommandError, match="no template “gone”"):
        call_command("rules", "declared")


@pytest.mark.parametrize(
    ("act", "name", "state"),
    [
        (lambda: None, "news (in code)", "live"),
        (lambda: Trigger.objects.update(enabled=False), "news (in code)", "off"),
        (lambda: deploy(), "news", "no longer in code"),
        (lambda: declared.release("news"), "news", "live"),
    ],
)
def test_the_list_of_rules_marks_it(act, name, state):
    deploy(NEWS)
    act()
    out = StringIO()
    call_command("notify", "rules", stdout=out)
    line = out.getvalue().splitlines()[1]
    assert f"  {name}  " in line
    assert line.endswith(state)


def test_what_it_sent_belongs_to_its_row():
    deploy(NEWS)
    make_user(email="ada@example.com")
    with capture_notifications():
        Post.objects.create(title="Linen")
    assert Delivery.objects.get().subscription == Subscription.objects.get()
