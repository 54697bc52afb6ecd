"""Those on duty in the admin: who may see and change them, and what the page says where SNS does not."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from notifier.queue import subscribers

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

PAGE = "/admin/notifier/onduty/"
ADDRESS = "night.shift@example.com"


@pytest.fixture(autouse=True)
def _nobody(cloud, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"TOPIC_ARN": cloud.topic_arn}
    for each in subscribers.on_duty():
        subscribers.unsubscribe(each.key)


def subscribe(client, address=ADDRESS):
    return client.post(f"{PAGE}subscribe/", {"address": address}, follow=True).content.decode()


def remove(client):
    [found] = subscribers.on_duty()
    return client.post(f"{PAGE}{found.key}/remove/", follow=True)


def addresses():
    return [each.endpoint for each in subscribers.on_duty()]


def test_an_address_is_subscribed_seen_and_removed_and_the_log_does_not_quote_it(admin_client):
    text = subscribe(admin_client)
    assert "SNS has written to the address" in text
    assert ADDRESS in text
    assert "route: email" in text
    assert "nothing more is sent there" in remove(admin_client).content.decode()
    assert addresses() == []
    logged = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert len(logged) == 2
    assert ADDRESS not in f"{logged}"


@pytest.mark.parametrize("address", ["", "ops", "ops@example", "a@example.com, b@example.com", "a@b.c\nx"])
def test_what_is_no_address_is_refused_and_sns_is_not_asked(admin_client, gate, address):
    subscribe(admin_client, address)
    assert (gate.count("Subscribe"), LogEntry.objects.count()) == (0, 0)


ROLES = [
    # permissions; whether one sees the page, the address, may add, may remove
    ([], False, False, False, False),
    (["view_onduty"], True, False, False, False),
    (["view_onduty", "view_recipients"], True, True, False, False),
    (["view_onduty", "add_onduty"], True, False, True, False),
    (["view_onduty", "delete_onduty"], True, False, False, True),
]


@pytest.mark.parametrize(("permissions", "sees", "reads", "adds", "removes"), ROLES)
def test_each_may_do_what_it_was_permitted(client_with, permissions, sees, reads, adds, removes):
    subscribers.subscribe(ADDRESS)
    client = client_with(*permissions)
    page = client.get(PAGE)
    text = page.content.decode()
    assert (page.status_code == 200) == sees
    assert (ADDRESS in text, "on-duty-form" in text, "/remove/" in text) == (reads, adds, removes)
    subscribe(client, "more@example.com")
    assert ("more@example.com" in addresses()) == adds
    for each in subscribers.on_duty():
        client.post(f"{PAGE}{each.key}/remove/")
    assert (addresses() == []) == removes


def test_a_button_is_a_post_with_a_token(admin_client, admin_user, client):
    subscribers.subscribe(ADDRESS)
    [found] = subscribers.on_duty()
    for url in (f"{PAGE}subscribe/", f"{PAGE}{found.key}/remove/"):
        assert admin_client.get(url).status_code == 405
        assert client.post(url).url.startswith("/admin/login/")
        forged = Client(enforce_csrf_checks=True)
        forged.force_login(admin_user)
        assert forged.post(url, {"address": "more@example.com"}).status_code == 403
    assert addresses() == [ADDRESS]


@pytest.mark.parametrize(
    ("code", "said"), [("NotFound", "the next deploy makes it"), ("AuthorizationError", "AuthorizationError")]
)
def test_what_sns_refuses_is_said_on_the_page(admin_client, gate, code, said):
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{ADDRESS}</Message></Error></ErrorResponse>"
    gate.answer("ListSubscriptionsByTopic", status=404, body=body, content_type="text/xml")
    text = admin_client.get(PAGE).content.decode()
    assert said in text
    assert ADDRESS not in text


def test_without_a_topic_the_page_says_what_is_missing(admin_client, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"TOPIC_ARN": ""}
    assert "TOPIC_ARN" in admin_client.get(PAGE).content.decode()
    assert "TOPIC_ARN" in subscribe(admin_client)
