"""Cancel, resend and retry in the admin: asked before many, done once, written down.

And the page with the brakes.
"""

import re
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry

from notifier import deliveries
from notifier.admin.outcomes import delivery_actions
from notifier.deliveries import holding
from notifier.deliveries.fanout import fan_out
from notifier.gates import pauses
from notifier.models import Attempt, Delivery, Event, Pause
from tests.admin.browser import text_of
from tests.support.builders import make_audience, make_delivery, make_event, make_trigger, make_user

pytestmark = pytest.mark.django_db

EVENTS, DELIVERIES, PAUSES = "/admin/notifier/event/", "/admin/notifier/delivery/", "/admin/notifier/pause/"
Status = Delivery.Status


def post(client, path, data=None, **options):
    return client.post(path, data or {}, **options)


def answer(client, response, **options):
    """Press the yes of a page that asks."""
    page = text_of(response)
    form = page[page.index('<div id="content-main" class="notifier-ask">') :]
    values = {}
    for name, value in re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form):
        values.setdefault(name, []).append(unescape(value))
    [(name, value)] = re.findall(r'<button type="submit" name="(\w+)" value="([^"]*)"', form)
    return client.post(response.request["PATH_INFO"], values | {name: value}, follow=True, **options)


def choose(action, *rows):
    return {"action": action, "_selected_action": [row.pk for row in rows]}


def statuses():
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))


CANCELLED = {
    Status.QUEUED: True,
    Status.WAITING: True,
    Status.STANDBY: True,
    Status.HELD: True,
    Status.CLAIMED: False,  # a function is about to send it
    Status.SENDING: False,
    Status.SENT: False,
    Status.SKIPPED: False,
    Status.FAILED: False,
    Status.CANCELLED: False,
    Status.UNKNOWN: False,
}


@pytest.mark.parametrize("status", Status)
def test_what_no_function_has_taken_up_is_cancelled_and_nothing_else(admin_client, status):
    delivery = make_delivery(status=status, reason="throttled", claim=7)
    page = text_of(post(admin_client, f"{DELIVERIES}{delivery.pk}/cancel/", follow=True))
    delivery.refresh_from_db()
    if CANCELLED[status]:
        assert (delivery.status, delivery.reason, delivery.due_at, delivery.claim) == (
            Status.CANCELLED,
            "",
            None,
            None,
        )
        assert delivery.finished_at
        assert deliveries.claim_deliveries([delivery.pk], channel="email", lease_seconds=9) == []
        assert LogEntry.objects.get().change_message == "Cancelled."
    else:
        assert (delivery.status, delivery.claim) == (status, 7)
        assert "1 was too late, or had ended before." in page
        assert not LogEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_sent_is_sent_once_more_and_its_first_sending_stays_on_record(admin_client, cloud, pump):
    delivery = make_delivery(status=Status.SENT, provider_id="first-id", attempts=1, due_at=None)
    asked = post(admin_client, f"{DELIVERIES}{delivery.pk}/resend/")
    assert "1 person gets it twice." in text_of(asked)
    assert statuses() == [Status.SENT]
    assert "1 delivery is being sent once more." in text_of(answer(admin_client, asked))
    pump.drain()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (Status.SENT, 2)
    assert delivery.provider_id not in ("", "first-id")
    attempt = Attempt.objects.get()
    assert (attempt.delivery_id, attempt.number, attempt.status, attempt.provider_id) == (
        delivery.pk,
        1,
        "sent",
        "first-id",
    )
    # The second click of a double one: it was asked before the resend, and is answered after it has been
    # sent.
    answer(admin_client, asked)
    assert (pump.drain(), len(cloud.outbox()), Attempt.objects.count()) == (0, 1, 1)


def test_what_was_cancelled_is_sent_after_all_without_a_second_time_on_record(admin_client, cloud):
    delivery = make_delivery(status=Status.CANCELLED, due_at=None)
    asked = post(admin_client, f"{DELIVERIES}{delivery.pk}/resend/")
    assert "sent for the first time" in text_of(asked)
    answer(admin_client, asked)
    assert (statuses(), Attempt.objects.count()) == ([Status.QUEUED], 0)


MANY = [
    # action, statuses that were chosen, what the page says, what is left
    (
        "retry_selected",
        ["failed", "unknown", "sent"],
        "1 of them may have been sent already",
        ["queued", "queued", "sent"],
    ),
    (
        "cancel_selected",
        ["queued", "held", "sent"],
        "Cancel 2 deliveries?",
        ["cancelled", "cancelled", "sent"],
    ),
    ("resend_selected", ["sent", "sent", "failed"], "2 people get it twice.", ["queued", "queued", "failed"]),
]


@pytest.mark.parametrize(("action", "before", "words", "after"), MANY)
def test_more_than_one_is_asked_about_first(admin_client, cloud, action, before, words, after):
    chosen = [make_delivery(status=status) for status in before]
    asked = post(admin_client, DELIVERIES, choose(action, *chosen))
    assert words in text_of(asked)
    assert statuses() == before
    answer(admin_client, asked)
    assert statuses() == after
    assert LogEntry.objects.count() == 2


def test_one_from_the_list_is_done_without_a_question_unless_somebody_gets_it_twice(admin_client, cloud):
    failed, sent = make_delivery(status=Status.FAILED), make_delivery(status=Status.SENT)
    assert post(admin_client, DELIVERIES, choose("retry_selected", failed)).status_code == 302
    assert "1 person gets it twice." in text_of(
        post(admin_client, DELIVERIES, choose("resend_selected", sent))
    )
    assert statuses() == [Status.QUEUED, Status.SENT]


def test_a_page_that_asks_says_that_there_are_more_than_it_takes(admin_client, monkeypatch):
    monkeypatch.setattr(delivery_actions, "MOST_AT_ONCE", 2)
    chosen = [make_delivery() for _ in range(3)]
    asked = post(admin_client, DELIVERIES, choose("cancel_selected", *chosen))
    assert "There are more: 2 at a time are taken, the oldest first." in text_of(asked)
    page = text_of(answer(admin_client, asked))
    assert "no more than 2 at a time. Choose them again." in page
    assert statuses() == [Status.CANCELLED, Status.CANCELLED, Status.QUEUED]


LOOKED_AT_AGAIN = [
    # what it was skipped for, what the person is now; whether the retry sends it
    ("no_address", {"email": "new@example.com"}, True),
    ("no_address", {"email": ""}, False),
    ("inactive", {"email": "old@example.com"}, True),
    ("inactive", {"email": "old@example.com", "is_active": False}, False),
    ("invalid_address", {"email": "new@example.com"}, True),  # as corrected since
    ("opted_out", {"email": "", "is_active": True}, False),  # there is nobody to send to any more
]


@pytest.mark.parametrize(("reason", "now", "is_sent"), LOOKED_AT_AGAIN)
def test_a_retry_looks_at_the_person_again(admin_client, cloud, reason, now, is_sent):
    user = make_user(**now)
    delivery = make_delivery(
        status=Status.SKIPPED,
        reason=reason,
        recipient=f"user:{user.pk}",
        address="old@example.com",
        due_at=None,
    )
    page = text_of(admin_client.get(f"{DELIVERIES}{delivery.pk}/change/"))
    assert ("Try again</button>" in page) == is_sent
    post(admin_client, f"{DELIVERIES}{delivery.pk}/retry/")
    delivery.refresh_from_db()
    assert (delivery.status, delivery.address) == (
        (Status.QUEUED, now["email"]) if is_sent else (Status.SKIPPED, "old@example.com")
    )


# Events


def make_mixed():
    event = make_event(status=Event.Status.DONE, due_at=None)
    for status in ("failed", "failed", "sent", "unknown", "queued", "held", "claimed"):
        make_delivery(event=event, status=status)
    make_delivery(status=Status.FAILED)
    return event


def test_all_that_failed_of_an_event_is_tried_again(admin_client, cloud):
    event = make_mixed()
    asked = post(admin_client, f"{EVENTS}{event.pk}/retry/")
    assert "Try 2 deliveries again?" in text_of(asked)
    page = text_of(answer(admin_client, asked))
    assert "left alone" not in page
    assert statuses() == ["queued", "queued", "sent", "unknown", "queued", "held", "claimed", "failed"]
    assert LogEntry.objects.filter(object_id=str(event.pk), content_type__model="event").count() == 1


@pytest.mark.parametrize("by_list", [False, True])
def test_all_that_is_not_sent_of_an_event_is_cancelled_and_who_was_too_late_is_said(admin_client, by_list):
    event = make_mixed()
    asked = (
        post(admin_client, EVENTS, choose("cancel_unsent", event))
        if by_list
        else post(admin_client, f"{EVENTS}{event.pk}/cancel/")
    )
    page = text_of(answer(admin_client, asked))
    assert "2 deliveries are cancelled." in page
    assert "5 were too late, or had ended before." in page
    assert statuses() == [
        "failed",
        "failed",
        "sent",
        "unknown",
        "cancelled",
        "cancelled",
        "claimed",
        "failed",
    ]


@pytest.mark.parametrize("status", [Event.Status.RECORDED, Event.Status.HELD, Event.Status.FANNING_OUT])
def test_an_event_that_is_cancelled_brings_no_more_deliveries(admin_client, cloud, status):
    event = make_event(status=status, audiences=[make_audience(users=[make_user()])])
    answer(admin_client, post(admin_client, f"{EVENTS}{event.pk}/cancel/"))
    fan_out(event.pk, lease_seconds=900)
    event.refresh_from_db()
    assert (event.status, event.due_at, event.deliveries.count()) == (Event.Status.CANCELLED, None, 0)
    assert LogEntry.objects.get().change_message == "Cancelled."


@pytest.mark.django_db(transaction=True)
def test_a_fan_out_that_is_cancelled_while_it_works_leaves_nothing_that_is_sent(cloud, monkeypatch):
    monkeypatch.setattr("notifier.deliveries.pages.PAGE_SIZE", 2)
    event = make_event(audiences=[make_audience(users=[make_user() for _ in range(5)])])
    pages = []

    def cancel_after_the_first_page():
        pages.append(event.deliveries.count())
        deliveries.cancel_events([event.pk])
        deliveries.cancel(list(event.deliveries.values_list("pk", flat=True)))
        return False

    assert fan_out(event.pk, lease_seconds=900, is_time_up=cancel_after_the_first_page) == 2
    event.refresh_from_db()
    assert (pages, event.status, statuses()) == ([2], Event.Status.CANCELLED, ["cancelled"] * 2)


WHILE_IT_IS_ASKED = [
    # which action, what happens between the question and the answer; whether what came of it is taken back
    ("event", "a fan-out writes another delivery", True),
    ("event", "a pause ends", True),
    ("deliveries", "a pause ends", True),
    ("deliveries", "another delivery comes", False),  # nobody was asked about that one
]


@pytest.mark.parametrize(("action", "meanwhile", "is_taken_back"), WHILE_IT_IS_ASKED)
def test_what_came_between_the_question_and_the_answer(admin_client, action, meanwhile, is_taken_back):
    event = make_event(status=Event.Status.FANNING_OUT)
    for _ in range(2):
        make_delivery(event=event, status=Status.HELD, due_at=None)
    chosen = choose("cancel_selected", *event.deliveries.all()) | {"select_across": "1"}
    asked = (
        post(admin_client, DELIVERIES, chosen)
        if action == "deliveries"
        else post(admin_client, f"{EVENTS}{event.pk}/cancel/")
    )
    if meanwhile == "a pause ends":
        assert holding.release_deliveries() == 2
    else:
        make_delivery(event=event)
    answer(admin_client, asked)
    assert statuses()[-1] == (Status.CANCELLED if is_taken_back else Status.QUEUED)
    assert statuses()[:2] == [Status.CANCELLED] * 2


# Pauses


@pytest.mark.parametrize("scope", ["everything", "channel:email", "trigger:{}"])
def test_the_brakes_are_pulled_and_let_go(admin_client, admin_user, scope):
    trigger = make_trigger(name="Sale")
    scope = scope.format(trigger.pk)
    page = text_of(
        post(admin_client, f"{PAUSES}start/", {"scope": scope, "reason": "Wrong <price>"}, follow=True)
    )
    pause = Pause.objects.get()
    assert (pause.scope, pause.reason, pause.paused_by) == (scope, "Wrong <price>", admin_user.username)
    assert "Wrong &lt;price&gt;" in page
    words = {"e": "everything", "c": "all email", "t": "the trigger “Sale”"}[scope[0]]
    for path in (
        f"/admin/notifier/trigger/{trigger.pk}/change/",
        EVENTS,
        DELIVERIES,
        "/admin/notifier/template/",
    ):
        assert f"<b>{words}</b>" in text_of(admin_client.get(path))
    post(admin_client, f"{PAUSES}{pause.pk}/resume/")
    assert not Pause.objects.exists()
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")] == [
        "Paused. Wrong <price>",
        "Resumed.",
    ]
    assert "notifier-banner" not in text_of(admin_client.get(EVENTS))


@pytest.mark.parametrize(
    "scope", ["", "channel:pigeon", "trigger:0", "trigger:x", "trigger:" + "9" * 30, "nothing", "channel"]
)
def test_what_is_not_there_cannot_be_paused(admin_client, scope):
    assert post(admin_client, f"{PAUSES}start/", {"scope": scope}).status_code == 302
    assert not Pause.objects.exists()


def test_the_page_says_how_much_is_held(admin_client):
    pauses.pause("channel:email")
    pauses.pause("everything")
    make_delivery(status=Status.HELD)
    make_delivery(status=Status.HELD, channel="sms")
    make_event(status=Event.Status.HELD)
    page = text_of(admin_client.get(PAUSES))
    assert re.findall(r"Held: ([^<]*)<", page) == ["1 deliveries", "1 events, 2 deliveries"]


def test_pausing_twice_and_resuming_twice_is_said(admin_client):
    for expected in "Paused. What", "It is paused already.":
        assert expected in text_of(
            post(admin_client, f"{PAUSES}start/", {"scope": "everything"}, follow=True)
        )
    path = f"{PAUSES}{Pause.objects.get().pk}/resume/"
    for expected in "Resumed. What", "It is not paused any more.":
        assert expected in text_of(post(admin_client, path, follow=True))
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        (Status.SENT, []),  # all went well: there is nothing to press
        (Status.FAILED, ["retry"]),
        (Status.HELD, ["cancel"]),
    ],
)
def test_an_event_offers_only_what_there_is_to_do(admin_client, status, offered):
    event = make_delivery(status=status).event
    page = text_of(admin_client.get(f"{EVENTS}{event.pk}/change/"))
    assert [name for name in ("retry", "cancel") if f"{EVENTS}{event.pk}/{name}/" in page] == offered


def test_what_was_cancelled_does_not_wait_for_a_pause_to_end(admin_client):
    ada = make_user(username="ada")
    event = make_event(audiences=[make_audience(users=[ada])], status=Event.Status.CANCELLED)
    pauses.pause("everything")
    page = text_of(admin_client.get(f"{EVENTS}why/", {"person": "ada", "subject": event.pk}))
    assert "a person took the event back" in page
    assert "It goes on when that ends" not in page
