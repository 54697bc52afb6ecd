"""Who may do what: every role against every page and every button.

A GET never changes anything; every change is in the admin's log.
"""

import pytest
from django.contrib.admin.models import LogEntry
from django.core import serializers
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from notifier import models
from notifier.models import Delivery, Event
from tests.support.builders import make_audience, make_delivery, make_event, make_trigger

from .browser import filled_in, read_form

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

ROLES = {
    "nobody": [],
    "reads": ["view_event", "view_delivery", "view_trigger", "view_template", "view_pause", "view_onduty"],
    "edits templates": ["view_template", "change_template", "view_templatecontent", "change_templatecontent"],
    "edits rules": [
        "view_trigger",
        "change_trigger",
        "view_subscription",
        "change_subscription",
        "view_template",
        "view_audience",
    ],
    "resends": ["view_event", "view_delivery", "retry_delivery"],
    "pauses": ["view_pause", "add_pause", "delete_pause"],
}

# method, path, what is sent; the roles that are let in
DOORS = [
    ("get", "event/", {}, {"reads", "resends"}),
    ("get", "event/{event}/change/", {}, {"reads", "resends"}),
    ("get", "delivery/", {}, {"reads", "resends"}),
    ("get", "delivery/{failed}/change/", {}, {"reads", "resends"}),
    ("get", "trigger/{trigger}/change/", {}, {"reads", "edits rules"}),
    ("get", "template/{template}/change/", {}, {"reads", "edits templates", "edits rules"}),
    ("get", "pause/", {}, {"reads", "pauses"}),
    ("get", "onduty/", {}, {"reads"}),
    ("post", "delivery/{failed}/retry/", {}, {"resends"}),
    ("post", "delivery/{queued}/cancel/", {}, {"resends"}),
    ("post", "delivery/{sent}/resend/", {"confirmed": "yes"}, {"resends"}),
    ("post", "event/{event}/retry/", {"confirmed": "yes"}, {"resends"}),
    ("post", "event/{event}/cancel/", {"confirmed": "yes"}, {"resends"}),
    ("post", "pause/start/", {"scope": "everything"}, {"pauses"}),
    ("post", "pause/{pause}/resume/", {}, {"pauses"}),
    ("post", "pause/closed/{closed}/open/", {}, {"pauses"}),
]
BUTTONS = [path for method, path, _, _ in DOORS if method == "post"]
PAGES = [path for method, path, _, _ in DOORS if method == "get"]


@pytest.fixture
def rows():
    trigger = make_trigger(audiences=[make_audience(addresses="email: ops@example.com")])
    event = make_event(status=Event.Status.DONE, due_at=None)
    made = {name: make_delivery(event=event, status=name).pk for name in ("failed", "queued", "sent")}
    pause = models.Pause.objects.create(scope="channel:sms")
    closed = models.Rate.objects.create(name="email", closed_until=timezone.now().timestamp() + 900)
    template = trigger.subscriptions.get().template_id
    made["closed"] = closed.pk
    return made | {"event": event.pk, "trigger": trigger.pk, "template": template, "pause": pause.pk}


def everything():
    """All rows of the notifier, as text."""
    found = [getattr(models, name) for name in models.__all__]
    tables = [each for each in found if isinstance(each, type) and issubclass(each, Model)]
    return serializers.serialize("json", [row for model in tables for row in model.objects.order_by("pk")])


def is_allowed(response):
    return response.status_code == 200 or response.status_code == 302 and "/login/" not in response.url


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("method", "path", "sent", "allowed"), DOORS, ids=[f"{each[0]} {each[1]}" for each in DOORS]
)
def test_a_role_opens_its_own_doors_and_no_others(
    client_with, cloud, rows, role, method, path, sent, allowed
):
    before = everything()
    response = getattr(client_with(*ROLES[role]), method)("/admin/notifier/" + path.format(**rows), sent)
    assert is_allowed(response) == (role in allowed), response.status_code
    assert response.status_code in (200, 302, 403)
    is_changed = method == "post" and role in allowed
    assert (everything() != before) == is_changed
    assert LogEntry.objects.exists() == is_changed


@pytest.mark.parametrize("path", BUTTONS)
def test_a_button_is_a_post_with_a_token_of_somebody_signed_in(
    admin_client, admin_user, client, cloud, rows, path
):
    before, url = everything(), "/admin/notifier/" + path.format(**rows)
    for method in "get", "head", "put", "delete":
        assert getattr(admin_client, method)(url).status_code == 405
    assert client.post(url).url.startswith("/admin/login/")
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(admin_user)
    assert forged.post(url, {"confirmed": "yes", "scope": "everything"}).status_code == 403
    assert everything() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("action", ["retry_selected", "cancel_selected", "resend_selected"])
@pytest.mark.parametrize("role", ["reads", "resends"])
def test_list_actions_are_for_those_who_may_resend(client_with, cloud, rows, role, action):
    client = client_with(*ROLES[role])
    assert (action in client.get("/admin/notifier/delivery/").content.decode()) == (role == "resends")
    keys = list(Delivery.objects.values_list("pk", flat=True))
    before = everything()
    client.post("/admin/notifier/delivery/", {"action": action, "_selected_action": keys, "confirmed": "yes"})
    assert (everything() != before) == (role == "resends")


FORMS = [
    # page, who may save it, what is changed
    ("trigger/{trigger}/change/", {"edits rules"}, {"name": "Renamed"}),
    ("template/{template}/change/", {"edits templates"}, {"description": "Renamed"}),
]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("path", "allowed", "changes"), FORMS)
def test_rules_and_templates_are_saved_by_those_who_edit_them(
    client_with, admin_client, rows, role, path, allowed, changes
):
    url = "/admin/notifier/" + path.format(**rows)
    values = filled_in(read_form(admin_client, url), changes)
    before = everything()
    response = client_with(*ROLES[role]).post(url, values)
    assert (response.status_code == 302) == (role in allowed), response.status_code
    assert (everything() != before) == (role in allowed)
    assert LogEntry.objects.exists() == (role in allowed)
