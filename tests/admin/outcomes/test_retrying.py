"""What was not sent is tried again, by those who may do that."""

import pytest
from django.contrib.admin.models import LogEntry

from notifier.admin.outcomes import delivery_actions
from notifier.models import Delivery, Subscription
from project.demo.models import Post
from tests.admin.browser import saved, submit, text_of
from tests.admin.outbox import DELIVERIES, make_failed, page_of, retry_of
from tests.support.builders import make_audience, make_delivery, make_trigger

pytestmark = pytest.mark.django_db

Status = Delivery.Status

TRY_AGAIN = "Try again</button>"
MAY_RETRY = ("view_delivery", "retry_delivery")


@pytest.mark.django_db(transaction=True)
def test_a_failed_delivery_is_sent_after_its_template_is_mended(admin_client, cloud, pump):
    endless = "{% for a in t %}{% for b in t %}{% for c in t %}.{% endfor %}{% endfor %}{% endfor %}"
    text = "{{ instance.title }}{% with t=instance.title %}" + endless + "{% endwith %}"
    trigger = make_trigger(
        contents={"email": {"subject": "Hello", "text": text}},
        audiences=[make_audience(addresses="email: ops@example.com")],
    )
    Post.objects.create(title="x" * 100)
    pump.drain()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.reason) == (Status.FAILED, "template_failed")
    assert TRY_AGAIN in text_of(admin_client.get(page_of(delivery)))

    template = trigger.subscriptions.get().template
    mended = {"contents-0-text": "New: {{ instance.title|truncatechars:4 }}"}
    assert saved(submit(admin_client, f"/admin/notifier/template/{template.pk}/change/", mended))
    assert "It is tried again with version 2." in text_of(admin_client.get(page_of(delivery)))
    response = admin_client.post(retry_of(delivery), follow=True)
    assert response.redirect_chain == [(page_of(delivery), 302)]
    assert "1 delivery is being tried again." in text_of(response)
    pump.drain()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason, delivery.attempts) == (Status.SENT, "", 2)
    assert [(message.recipient, message.text) for message in cloud.outbox()] == [
        ("ops@example.com", "New: xxx…")
    ]
    assert TRY_AGAIN not in text_of(admin_client.get(page_of(delivery)))


def test_a_page_says_when_a_mended_template_cannot_be_used(admin_client):
    delivery = make_failed(parts={"text": "{{ title }}"})
    content = Subscription.objects.get().template.contents.get()
    content.text = "{{ title }} {{ price }}"
    content.save()
    assert "Version 2 reads what this event does not hold" in text_of(admin_client.get(page_of(delivery)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [Status.SENT, Status.QUEUED, Status.CLAIMED, Status.SENDING])
def test_what_is_sent_or_under_way_is_left_alone(admin_client, cloud, pump, status):
    delivery = make_delivery(status=status, provider_id="ses-1", due_at=None)
    before = Delivery.objects.values().get()
    assert TRY_AGAIN not in text_of(admin_client.get(page_of(delivery)))
    response = admin_client.post(retry_of(delivery), follow=True)
    assert "1 was left alone: it is sent, under way or not for sending." in text_of(response)
    assert pump.drain() == 0
    assert Delivery.objects.values().get() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("reason", ["inactive", "no_address", "unverified"])
def test_nobody_is_sent_what_the_fan_out_has_kept_from_them(admin_client, reason):
    delivery = make_delivery(status=Status.SKIPPED, reason=reason, due_at=None)
    assert TRY_AGAIN not in text_of(admin_client.get(page_of(delivery)))
    admin_client.post(retry_of(delivery))
    admin_client.post(DELIVERIES, {"action": "retry_selected", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == (Status.SKIPPED, reason)


@pytest.mark.django_db(transaction=True)
def test_deliveries_that_are_selected_in_the_list_are_tried_again(admin_client, cloud, pump):
    chosen = [make_failed(), make_failed(channel="sms"), make_delivery(status=Status.SENT)]
    make_failed()
    action = {
        "action": "retry_selected",
        "_selected_action": [delivery.pk for delivery in chosen],
        "confirmed": "yes",
    }
    page = text_of(admin_client.post(DELIVERIES, action, follow=True))
    assert "2 deliveries are being tried again." in page
    assert "1 was left alone: it is sent, under way or not for sending." in page
    pump.drain()
    assert sorted(message.channel for message in cloud.outbox()) == ["email", "sms"]
    assert list(Delivery.objects.order_by("pk").values_list("status", flat=True)) == [
        "sent",
        "sent",
        "sent",
        "failed",
    ]


def test_more_than_a_request_can_do_is_done_in_parts(admin_client, monkeypatch):
    monkeypatch.setattr(delivery_actions, "MOST_AT_ONCE", 2)
    for _ in range(3):
        make_failed()
    action = {"action": "retry_selected", "select_across": "1", "_selected_action": ["0"], "confirmed": "yes"}
    page = text_of(admin_client.post(DELIVERIES, action, follow=True))
    assert "2 deliveries are being tried again." in page
    assert "no more than 2 at a time. Choose them again." in page
    assert "left alone" not in page
    assert Delivery.objects.filter(status=Status.QUEUED).count() == 2


def test_a_retry_is_written_to_the_admins_log(admin_client, admin_user):
    one, two = make_failed(), make_failed(channel="sms")
    admin_client.post(retry_of(one))
    admin_client.post(DELIVERIES, {"action": "retry_selected", "_selected_action": [two.pk]})
    entries = LogEntry.objects.order_by("pk").values_list(
        "user", "object_id", "object_repr", "change_message"
    )
    assert list(entries) == [
        (admin_user.pk, str(one.pk), f"#{one.pk} email", "Tried again."),
        (admin_user.pk, str(two.pk), f"#{two.pk} sms", "Tried again."),
    ]
    assert "Tried again." in text_of(admin_client.get(f"/admin/notifier/delivery/{one.pk}/history/"))


def test_a_retry_is_a_post(admin_client):
    delivery = make_failed()
    assert admin_client.get(retry_of(delivery)).status_code == 405
    assert admin_client.head(retry_of(delivery)).status_code == 405
    delivery.refresh_from_db()
    assert delivery.status == Status.FAILED


def test_a_retry_needs_the_token_against_forgery(admin_user):
    from django.test import Client

    client, delivery = Client(enforce_csrf_checks=True), make_failed()
    client.force_login(admin_user)
    assert client.post(retry_of(delivery)).status_code == 403
    delivery.refresh_from_db()
    assert delivery.status == Status.FAILED


@pytest.mark.parametrize(
    "permissions",
    [["view_delivery"], ["view_delivery", "change_delivery", "delete_delivery"], ["retry_delivery"]],
)
def test_a_retry_needs_its_own_permission(client_with, permissions):
    client, delivery = client_with(*permissions), make_failed()
    assert client.post(retry_of(delivery)).status_code == 403
    if "view_delivery" in permissions:
        assert TRY_AGAIN not in text_of(client.get(page_of(delivery)))
        assert "retry_selected" not in text_of(client.get(DELIVERIES))
    client.post(DELIVERIES, {"action": "retry_selected", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.status == Status.FAILED


def test_somebody_with_the_permission_and_no_other_may_retry(client_with):
    client, delivery = client_with(*MAY_RETRY), make_failed()
    assert TRY_AGAIN in text_of(client.get(page_of(delivery)))
    assert "retry_selected" in text_of(client.get(DELIVERIES))
    assert client.post(retry_of(delivery)).status_code == 302
    delivery.refresh_from_db()
    assert delivery.status == Status.QUEUED


def test_nobody_retries_without_signing_in(client):
    delivery = make_failed()
    assert client.post(retry_of(delivery)).url.startswith("/admin/login/")
    delivery.refresh_from_db()
    assert delivery.status == Status.FAILED


def test_a_delivery_that_is_not_there_cannot_be_tried_again(admin_client):
    response = admin_client.post("/admin/notifier/delivery/999999/retry/", follow=True)
    assert "doesn’t exist" in text_of(response)
    assert "left alone" not in text_of(response)
