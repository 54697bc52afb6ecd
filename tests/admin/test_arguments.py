"""A signal's arguments on the admin's pages: names to click on, what is not checked, what led nowhere."""

import pytest
from django.contrib.auth.models import User

from notifier.models import Event, Template
from tests.app.models import Order
from tests.support.builders import make_trigger, make_user
from tests.support.observing import registering

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
register = registering
ARGS = {"order": Order, "user": User, "note": str, "anything": object}


def make_rule(text):
    return make_trigger(verb="shipped", model="", contents={"email": {"subject": "x", "text": text}})


def test_the_editor_offers_the_fields_of_an_object_and_marks_what_nobody_checks(register, admin_client):
    register("shipped", ARGS, object="order")
    make_rule("{{ order.number }}")
    page = admin_client.get(f"/admin/notifier/template/{Template.objects.get().pk}/change/").content.decode()
    for name in ("order.number", "order.status", "signal_user.username", "note", "anything"):
        assert f"{{{{ {name} }}}}" in page
    assert "not checked: anything." in page
    assert "args={&quot;anything&quot;: Model}" in page
    assert "not checked: order" not in page


def test_setting_up_offers_them_too(register, admin_client):
    register("shipped", ARGS, object="order")
    facts = admin_client.post("/admin/notifier/trigger/setup/facts/", {"when": "shipped:any"}).json()
    texts, conditions, paths = (dict(facts["chips"][name]) for name in ("texts", "conditions", "paths"))
    assert texts["Order → Number"] == "{{ order.number }}"
    assert texts["Anything (not checked)"] == "{{ anything }}"
    assert conditions["Total"] == "order.total"
    assert paths["Owner"] == "order.owner"
    assert paths["Signal user"] == "signal_user"
    assert facts["start"]["subject"] == "Order: {{ action_object }}"


def test_setting_up_a_relation_offers_its_actions_and_warns_without(admin_client):
    facts = admin_client.post(
        "/admin/notifier/trigger/setup/facts/", {"when": "m2m_changed:any", "model": "auth.user"}
    ).json()
    assert dict(facts["chips"]["conditions"])["Something was added"] == 'action == "post_add"'
    trigger = make_trigger(verb="m2m_changed", model="auth.user")
    page = admin_client.get(f"/admin/notifier/trigger/{trigger.pk}/change/").content.decode()
    assert "Each change is told twice" in page


def test_an_event_says_which_names_led_nowhere_and_so_does_why(register, admin_client):
    shipped = register("shipped", ["order"])
    make_rule("{{ order.nonsense }} {{ order.number }}")
    shipped.send(sender=None, order=Order(number="17"))
    event, ada = Event.objects.get(), make_user(username="ada")
    page = admin_client.get(f"/admin/notifier/event/{event.pk}/change/").content.decode()
    assert "These names led nowhere, and are blank in what was sent: order.nonsense." in page
    answer = admin_client.get("/admin/notifier/event/why/", {"person": ada.username, "subject": event.pk})
    assert "templates name what was not there, and so is blank: order.nonsense." in answer.content.decode()


def test_a_name_that_leads_nowhere_is_refused_at_its_field(register, admin_client):
    register("shipped", ARGS)
    make_rule("{{ order.number }}")
    content = Template.objects.get().contents.get()
    found = admin_client.post(
        "/admin/notifier/template/preview/",
        {"template": content.template_id, "content": content.pk, "channel": "email", "text": "{{ order.x }}"},
    ).json()
    assert "“order.x”: order has nothing called “x”" in found["errors"][0]["text"]
