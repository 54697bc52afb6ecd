"""Who receives is seen only with its own permission: looked for in the bytes of every page that could
tell.
"""

import json

import pytest
from django.contrib.admin.models import CHANGE, LogEntry

from notifier.admin.masking import masked
from notifier.models import Attempt, Delivery, Event
from tests.support.builders import make_audience, make_delivery, make_event, make_user

from .browser import text_of
from .outbox import DELIVERIES, EVENTS, make_failed, page_of

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

MAY_READ = ("view_event", "view_delivery")
MAY_SEE = (*MAY_READ, "view_recipients")
# Whatever tells of the person: user name, name, address, number, and what the event holds of somebody.
TELLING = [
    "ann-the-secret",
    "Annabel",
    "annabel@hidden.example",
    "ops@hidden.example",
    "4940123456",
    "Walrus",
]


@pytest.fixture
def event():
    """An event to a user, to a plain address and to a number; what it holds and what decided name a person,
    too.
    """
    ann = make_user(username="ann-the-secret", first_name="Annabel", email="annabel@hidden.example")
    audience = make_audience(addresses="email: ops@hidden.example")
    contents = {"email": {"text": "{{ title }}"}, "sms": {"text": "{{ title }}"}}
    event = make_event(
        contents=contents, data={"title": "Walrus"}, audiences=[audience], recipients=[{"users": [ann.pk]}]
    )
    because = "instance.owner is Walrus"
    Event.objects.filter(pk=event.pk).update(
        explanation=[{"trigger": 99, "name": "Other", "because": because}]
    )
    failed = make_failed(event=event, recipient=f"user:{ann.pk}", address=ann.email)
    Attempt.objects.create(
        delivery=failed, number=1, status="failed", reason="refused", created_at=failed.created_at
    )
    make_delivery(event=event, recipient="address:ops@hidden.example", address="ops@hidden.example")
    make_delivery(
        event=event,
        recipient=f"user:{ann.pk}",
        address="",
        status="skipped",
        reason="no_address",
        channel="sms",
    )
    make_delivery(event=event, recipient="address:+4940123456", address="+4940123456", channel="sms")
    return event


def pages_of(event, user):
    for delivery in event.deliveries.all():
        LogEntry.objects.log_actions(user.pk, [delivery], CHANGE, "Tried again.")
        yield page_of(delivery)
        yield f"{page_of(delivery).removesuffix('change/')}history/"
    yield page_of(event)
    yield f"{page_of(event).removesuffix('change/')}history/"
    yield from (
        EVENTS,
        DELIVERIES,
        f"{DELIVERIES}?event__id__exact={event.pk}",
        f"{DELIVERIES}?status__exact=failed",
        "/admin/",
    )


def test_without_the_permission_no_page_tells_who_receives(client_with, event):
    client = client_with(*MAY_READ)
    seen = ""
    for path in pages_of(event, make_user()):
        page = text_of(client.get(path, follow=True))
        assert [word for word in TELLING if word in page] == [], path
        seen += page
    # What is not personal stays: counts, reasons, the beginning of an address to tell rows apart.
    for text in (
        "a…@h…",
        "1 failed",
        "The provider refused it.",
        "Only those who may see recipients can read this.",
    ):
        assert text in seen


def test_with_the_permission_all_of_it_is_seen(client_with, event):
    client = client_with(*MAY_SEE)
    seen = "".join(text_of(client.get(path, follow=True)) for path in pages_of(event, make_user()))
    # People are called by their user names here
    assert [word for word in TELLING if word not in seen] == ["Annabel"]


@pytest.mark.parametrize(
    "term", ["annabel@hidden.example", "a", "hidden", "ann-the-secret", "user:", "address:", "+4940"]
)
def test_without_the_permission_nobody_is_found_by_who_they_are(client_with, event, term):
    found = client_with(*MAY_READ).get(DELIVERIES, {"q": term}).context["cl"].result_list
    by_reason = [row for row in found if term in row.reason or term in row.provider_id]
    assert list(found) == by_reason
    assert client_with(*MAY_SEE).get(DELIVERIES, {"q": term}).context["cl"].result_list


@pytest.mark.parametrize(
    "query",
    [
        "address__startswith=a",
        "address=annabel@hidden.example",
        "recipient__contains=ann",
        "recipient__regex=.",
        "event__data__icontains=walrus",
        "event__deliveries__address__startswith=a",
        "history__delivery__address__startswith=a",
    ],
)
def test_no_filter_in_the_address_finds_it_out_letter_by_letter(client_with, event, query):
    assert client_with(*MAY_READ).get(f"{DELIVERIES}?{query}").status_code in (302, 400)


@pytest.mark.parametrize(
    "query",
    [
        "data__icontains=walrus",
        "plan__icontains=1",
        "explanation__icontains=w",
        "cursor__icontains=1",
        "deliveries__address=a",
    ],
)
def test_nor_of_an_event(client_with, event, query):
    assert client_with(*MAY_READ).get(f"{EVENTS}?{query}").status_code in (302, 400)


@pytest.mark.parametrize(
    "query", ["status__exact=failed", "channel=email", "reason=refused", "event__id__exact=1"]
)
def test_what_tells_of_nobody_is_still_filtered_by(client_with, event, query):
    assert client_with(*MAY_READ).get(f"{DELIVERIES}?{query}").status_code == 200


@pytest.mark.parametrize(
    "permissions", [MAY_READ, ("view_event", "view_recipients"), ("view_delivery", "view_recipients"), ()]
)
def test_why_needs_all_three_permissions(client_with, event, permissions):
    client = client_with(*permissions)
    assert client.get("/admin/notifier/event/why/").status_code == 403
    assert client.get("/admin/notifier/event/why/people/?q=ann").status_code == 403


def test_a_delivery_that_was_not_asked_for_on_behalf_of_somebody_is_masked(client_with, event):
    """The admin's columns see a row alone: one that does not say that it may be seen shows nobody."""
    from django.contrib import admin

    shown = admin.site._registry[Delivery]
    for delivery in Delivery.objects.all():
        texts = [
            str(show(delivery))
            for show in (shown.recipient_and_channel, shown.person, shown.address_line, shown.why)
        ]
        assert [word for word in TELLING if word in json.dumps(texts)] == []


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ann@example.com", "a…@e…"),
        ("+44 7400 123401", "+…"),
        ("@account", "…@a…"),
        ("a@", "a…@"),
        ("", ""),
        ("x", "x…"),
    ],
)
def test_a_masked_address_is_enough_to_tell_rows_apart_and_no_more(address, shown):
    assert masked(address) == shown
