"""A deployment that renames what rules and templates name is said by the checks, after the migration, in the
terminal and in the admin; a fan-out skips what is gone, says so, and serves the others.
"""

import logging
from io import StringIO

import pytest
from django.core import checks
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.urls import reverse

from notifier.deliveries.fanout import fan_out
from notifier.deploy import operations
from notifier.explaining import gone
from notifier.models import Audience, Delivery, Event, Subscription, Template, TemplateContent, Trigger
from tests.support.builders import make_audience, make_event, make_trigger, make_user
from tests.support.statements import statements

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

TEXT = "{{ instance.number }}"


def make_rule(**changes):
    """A rule of orders as it was saved; ``changes``: what it names now, by what holds it."""
    audience = make_audience(paths="instance.owner", addresses="email: ops@example.com")
    trigger = make_trigger(model="shop.order", contents={"email": {"text": TEXT}}, audiences=[audience])
    subscription = trigger.subscriptions.get()
    for holder, columns in changes.items():
        rows = {
            "trigger": Trigger.objects.filter(pk=trigger.pk),
            "subscription": Subscription.objects.filter(pk=subscription.pk),
            "template": Template.objects.filter(pk=subscription.template_id),
            "audience": Audience.objects.filter(pk=audience.pk),
        }
        rows[holder].update(**columns)
    return trigger


# As if the code had another name for it now: a row that was good names what is not there.
RENAMED = [
    # what holds the name, what it names; whose fault it is said to be, and what is said
    ({"trigger": {"verb": "order_placed_of_old"}}, "Trigger", "“order_placed_of_old”"),
    ({"trigger": {"model": "shop.purchase"}}, "Trigger", "There is no model “shop.purchase”"),
    ({"trigger": {"actor_model": "shop.agent", "actor_pk": "5"}}, "Trigger", "“shop.agent”"),
    ({"trigger": {"condition": "instance.amount > 5"}}, "Trigger", "nothing called “amount”"),
    ({"trigger": {"condition": "instance.customer.nick == 'a'"}}, "Trigger", "nothing called “nick”"),
    ({"trigger": {"condition": "instance.status == 'sent'"}}, "Trigger", "It is one of"),  # a choice
    ({"trigger": {"model": "shop.customer"}}, "Template", "nothing called “number”"),
    ({"subscription": {"channels": ["email", "fax"]}}, "Trigger", "no channel “fax”"),
    ({"template": {"providers": ["weather_of_old"]}}, "Template", "no context provider weather_of_old"),
    ({"audience": {"callables": ["managers_of_old"]}}, "Audience", "“managers_of_old” is not registered"),
    ({"audience": {"paths": "instance.buyer"}}, "Audience", "nothing called “buyer”"),
    ({"audience": {"paths": "fax: instance.owner\ninstance.buyer"}}, "Audience", "nothing called “buyer”"),
    ({"audience": {"paths": "fax: instance.owner"}}, "Audience", "A line of its paths cannot be used"),
    ({"audience": {"addresses": "fax: ada@example.com"}}, "Audience", "A line of its addresses cannot be"),
]


def test_a_rule_of_which_nothing_is_gone_is_not_named():
    make_rule()
    assert gone.find_all() == []


@pytest.mark.django_db(transaction=True)  # a function closes its connection
@pytest.mark.parametrize(("changes", "rule", "words"), RENAMED)
def test_what_is_gone_is_named_with_its_rule(changes, rule, words, caplog):
    make_rule(**changes)
    (found, *_others) = [each for each in gone.find_all() if words in each.text]
    assert found.rule.startswith(rule)
    said = [each for each in checks.run_checks(databases=["default"]) if each.id == "notifier.W021"]
    assert str(found) in [each.msg for each in said]
    assert checks.run_checks(databases=[]) == [each for each in checks.run_checks() if "W021" not in each.id]
    with caplog.at_level(logging.ERROR):
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert str(found) in caplog.text
    assert "ada@example.com" not in caplog.text
    errors = StringIO()
    call_command("notify", "rules", stdout=StringIO(), stderr=errors)
    assert str(found) in errors.getvalue()
    assert str(found) in operations.names_gone({}, None)


def test_a_template_whose_field_was_renamed_is_named_once_a_trigger():
    trigger = make_rule()
    content = TemplateContent.objects.get(template__subscriptions__trigger=trigger)
    content.text = "{{ instance.nummer }}"
    content.save()  # as code may
    (found,) = gone.find_all()
    template = content.template
    assert found.rule == f"Template “{template}”, email, sent by “{trigger}”"
    assert "nothing called “nummer”" in found.text


LISTS = [
    ("trigger", {"trigger": {"condition": "instance.amount > 5"}}, "amount"),
    ("trigger", {"trigger": {"model": "shop.customer"}}, "number"),
    ("template", {"trigger": {"model": "shop.customer"}}, "number"),
    ("template", {"template": {"providers": ["weather_of_old"]}}, "weather_of_old"),
    ("audience", {"audience": {"paths": "instance.buyer"}}, "buyer"),
    ("audience", {"audience": {"callables": ["managers_of_old"]}}, "managers_of_old"),
]


@pytest.mark.parametrize(("page", "changes", "words"), LISTS)
def test_the_lists_of_the_admin_show_it(page, changes, words, admin_client):
    make_rule(**changes)
    content = admin_client.get(reverse(f"admin:notifier_{page}_changelist")).content.decode()
    assert "notifier-doubt" in content
    assert words in content.partition("notifier-doubt")[2]


def test_more_rules_take_no_more_queries():
    make_rule()
    with statements() as one:
        gone.find_all()
    for _ in range(3):
        make_rule()
    with statements() as four:
        gone.find_all()
    assert len(four) == len(one)


SOURCES = [
    # a source that an event names and that a deployment has taken away, what the event says
    (
        {"relation": "watchers", "model": "shop.purchase", "pk": "5"},
        "“watchers” of shop.purchase is not there",
    ),
    ({"relation": "followers", "model": "shop.order", "pk": "5"}, "“followers” of shop.order is not there"),
    (
        {"relation": "lines", "model": "shop.order", "pk": "0f36bd71-52c2-4a0e-9c5f-3f6c1b7d2c11"},
        "“lines” of",
    ),
    ({"relation": "watchers", "model": "shop.order", "pk": "no key"}, "“watchers” of shop.order"),
    ({"relation": "watchers", "model": "", "pk": 5}, "“watchers” of"),
]


@pytest.mark.parametrize(("source", "words"), SOURCES)
def test_a_fan_out_skips_what_is_gone_says_so_and_serves_the_others(source, words):
    ada = make_user()
    event = make_event(
        recipients=[source, {"users": [ada.pk]}, {"address": "ops@example.com", "channel": "email"}],
        audiences=[make_audience()],
    )
    fan_out(event.pk, lease_seconds=900)
    event.refresh_from_db()
    assert (event.status, words in event.reason) == (Event.Status.DONE, True)
    assert sorted(Delivery.objects.values_list("address", flat=True)) == sorted(
        [ada.email, "ops@example.com"]
    )


def test_a_function_that_is_registered_no_more_is_said_on_the_event():
    ada = make_user()
    audience = make_audience(users=[ada], callables=["managers_of_old"])
    event = make_event(audiences=[audience])
    fan_out(event.pk, lease_seconds=900)
    event.refresh_from_db()
    assert event.status == Event.Status.DONE
    assert event.reason == "The audience's function “managers_of_old” is not registered any more."
    assert Delivery.objects.count() == 1


def test_it_is_said_once_however_often_the_fan_out_goes_on(monkeypatch):
    monkeypatch.setattr("notifier.deliveries.pages.PAGE_SIZE", 1)
    people = [make_user() for _ in range(3)]
    event = make_event(audiences=[make_audience(users=people, callables=["managers_of_old"])])
    while fan_out(event.pk, lease_seconds=900, is_time_up=lambda: True):
        pass
    event.refresh_from_db()
    assert event.reason.count("managers_of_old") == 1
    assert Delivery.objects.count() == 3
