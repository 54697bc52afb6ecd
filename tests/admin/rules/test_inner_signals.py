"""Signals of Django's inner workings: who may choose one, and what is said first of its cost."""

import re

import pytest
from django.contrib.auth.models import Permission

from notifier.admin import choices
from notifier.explaining import firing_cost
from notifier.models import Trigger
from notifier.rules import inner_signals, signals
from tests.admin.browser import errors_in, read_form, saved, submit, text_of
from tests.support.builders import make_trigger

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

ADD = "/admin/notifier/trigger/add/"
RULES = ["view_trigger", "add_trigger", "change_trigger", "view_subscription"]
MAY = "choose_inner_signals"
OFFERED = sorted(inner_signals.FIRES_AT.keys() - inner_signals.NOT_OFFERED)
REQUESTS = {"name": "Requests", "verb": "request_started"}


def page_of(trigger):
    return f"/admin/notifier/trigger/{trigger.pk}/change/"


def offered(client, path=ADD):
    """The signals that the form offers."""
    select = re.search(r'<select name="verb".*?</select>', text_of(client.get(path)), re.DOTALL).group()
    return set(re.findall(r'<option value="(\w+)"', select))


def test_every_signal_of_django_is_about_objects_about_people_or_inner(monkeypatch):
    """Else it would be taken for one of the project's own, which everybody may choose."""
    monkeypatch.setattr(signals, "_registry", {})
    monkeypatch.setattr(signals, "_listeners", [])
    signals.register_builtin_signals()
    assert choices.INNER.keys() == inner_signals.FIRES_AT.keys()
    assert set(signals.names()) == choices.BUILTIN.keys()


def test_they_are_offered_to_those_who_may_and_never_those_of_each_row(client_with, admin_client):
    assert offered(client_with(*RULES)).isdisjoint(inner_signals.FIRES_AT)
    for client in client_with(*RULES, MAY), admin_client:
        assert offered(client) & inner_signals.FIRES_AT.keys() == set(OFFERED)


def test_the_set_up_page_offers_none(admin_client):
    page = text_of(admin_client.get("/admin/notifier/trigger/setup/"))
    assert not [name for name in inner_signals.FIRES_AT if f'"{name}:any"' in page]
    posted = {"when": "request_started:any", "what": "write", "whom": "everyone"}
    assert "request_started" in text_of(admin_client.post("/admin/notifier/trigger/setup/", posted))
    assert not Trigger.objects.exists()


@pytest.mark.parametrize("verb", sorted(inner_signals.FIRES_AT))
def test_a_form_that_is_made_up_is_refused_to_those_who_may_not(client_with, verb):
    page = submit(client_with(*RULES), ADD, {"name": "Mine", "verb": verb, "model": "demo.post"})
    assert "verb" in errors_in(page)
    assert not Trigger.objects.exists()


@pytest.mark.parametrize("verb", sorted(inner_signals.NOT_OFFERED))
def test_one_that_fires_at_each_row_is_refused_to_all(admin_client, verb):
    assert "verb" in errors_in(
        submit(admin_client, ADD, {"name": "Mine", "verb": verb, "model": "demo.post"})
    )


def test_who_may_choose_one_reads_the_cost_here_beside_the_choice(client_with):
    said = re.escape(firing_cost.describe_all())
    assert re.search(said, text_of(client_with(*RULES, MAY).get(ADD)))
    assert not re.search("inner workings", text_of(client_with(*RULES).get(ADD)))


@pytest.mark.parametrize("verb", OFFERED)
def test_it_is_asked_about_with_the_measured_cost_before_it_is_saved(admin_client, verb):
    model = {"model": "demo.post"} if signals.get(verb).about_model else {}
    page = submit(admin_client, ADD, REQUESTS | {"verb": verb} | model)
    said = text_of(page)
    assert (
        f"“{verb}” fires at {inner_signals.FIRES_AT[verb]}. Measured here, a thousand of them take " in said
    )
    assert not Trigger.objects.exists()
    answer = {**dict(page.context["again"]), page.context["token_name"]: page.context["token"]}
    assert admin_client.post(ADD, answer).status_code == 302
    assert Trigger.objects.get().verb == verb


def test_what_is_off_costs_nothing_and_is_asked_about_when_it_is_switched_on(admin_client):
    assert saved(submit(admin_client, ADD, REQUESTS | {"enabled": None}))
    trigger = Trigger.objects.get()
    assert "fires at" in text_of(submit(admin_client, page_of(trigger), {"enabled": "on"}))
    assert not Trigger.objects.get().enabled


def test_a_change_that_leaves_the_signal_is_not_asked_about_again(admin_client):
    trigger = make_trigger(verb="request_started", model="", subscribe=False)
    assert saved(submit(admin_client, page_of(trigger), {"name": "Requests, renamed"}))


def test_an_answer_to_one_signal_is_none_to_another(admin_client):
    first = submit(admin_client, ADD, REQUESTS)
    token = {first.context["token_name"]: first.context["token"]}
    other = submit(admin_client, ADD, REQUESTS | {"verb": "connection_created"} | token)
    assert "“connection_created” fires at" in text_of(other)
    assert not Trigger.objects.exists()


def test_without_the_permission_it_can_only_be_switched_off(client_with):
    trigger = make_trigger(verb="post_init", subscribe=False)
    client = client_with(*RULES)
    assert "post_init" in offered(client, page_of(trigger))
    for change in ({"name": "Mine"}, {"condition": "actor_object"}, {"model": "demo.movie"}):
        assert "verb" in errors_in(submit(client, page_of(trigger), change))
    assert saved(submit(client, page_of(trigger), {"enabled": None}))
    assert "verb" in errors_in(submit(client, page_of(trigger), {"enabled": "on"}))


def test_its_page_and_the_list_say_how_often_it_fires(admin_client):
    trigger = make_trigger(verb="request_started", model="", subscribe=False)
    for path in page_of(trigger), "/admin/notifier/trigger/":
        assert "It fires at each request." in text_of(admin_client.get(path))


def test_the_permission_is_one_that_can_be_given():
    assert Permission.objects.get(codename=MAY).content_type.model == "trigger"
    assert f"notifier.{MAY}" == inner_signals.PERMISSION


def test_who_may_only_look_at_rules_still_can(client_with):
    trigger = make_trigger()
    client = client_with("view_trigger", "view_subscription")
    assert client.get(page_of(trigger)).status_code == 200
    assert read_form(client, page_of(trigger)).get("verb") is None
