"""One channel after the other: the next goes where the one before did not succeed, once, whoever dies and
whoever is faster.
"""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notifier import deliveries
from notifier.deliveries import fallback
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.inbox.items import add_item, mark_all_read
from notifier.models import ContactPoint, Delivery
from tests.support.builders import make_user
from tests.support.flowing import (
    AT_MOST_ONCE,
    POLICY,
    by_channel,
    fan_out,
    flowing_event,
    let_flow,
    send,
    sweep,
)
from tests.support.patience import PATIENCE_SECONDS, in_threads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings_nowhere")]

# Not the alphabet's order.
THREE = ("sms", "inbox", "email")


def reachable_user():
    user = make_user()
    ContactPoint.objects.create(user=user, channel="sms", address="+447400123456", verified=True)
    return user


def first_event(**values):
    return flowing_event(channels=THREE, users=[reachable_user()], order="first", **values)


def one(channel):
    return Delivery.objects.get(channel=channel)


def test_the_channels_are_tried_in_the_order_in_which_they_are_written():
    fan_out(first_event())
    assert by_channel() == {"sms": "queued", "inbox": "standby", "email": "standby"}
    assert (one("sms").followed_by, one("inbox").follows, one("inbox").followed_by) == (
        "inbox",
        "sms",
        "email",
    )


def test_who_cannot_be_reached_on_the_first_channel_gets_it_on_the_next_at_once():
    fan_out(flowing_event(channels=THREE, users=[make_user()], order="first"))
    assert by_channel() == {"sms": "skipped no_address", "inbox": "queued", "email": "standby"}


def test_a_channel_in_between_that_cannot_be_used_is_passed_over():
    user = reachable_user()
    ContactPoint.objects.create(user=user, channel="inbox", address="1", verified=False)
    fan_out(flowing_event(channels=THREE, users=[user], order="first"))
    assert by_channel() == {"sms": "queued", "inbox": "skipped unverified", "email": "standby"}
    send(one("sms"), channel="sms", answer=Rejected("refused"))
    assert by_channel()["email"] == "queued"


OUTCOMES = [
    # what the first channel answered, what then stands on the second
    (Rejected("refused"), "queued"),
    (Skipped("opted_out"), "queued"),
    (OutcomeUnknown("timeout"), "queued"),  # twice on two channels is better than never
    ("an id", "standby"),  # it may still come back
    (TryAgain("busy"), "standby"),  # it is tried again by itself
]


@pytest.mark.parametrize(("answer", "expected"), OUTCOMES)
def test_the_next_channel_goes_only_where_the_one_before_did_not_succeed(answer, expected):
    fan_out(first_event())
    send(one("sms"), channel="sms", answer=answer, policy=AT_MOST_ONCE)
    assert by_channel()["inbox"] == expected
    assert by_channel()["email"] == "standby"
    assert sweep() == ([("inbox", one("inbox").pk)] if expected == "queued" else [])


def test_a_crash_that_hides_the_answer_wakes_the_next_channel():
    fan_out(first_event())
    deliveries.mark_sending(deliveries.claim_deliveries([one("sms").pk], channel="sms", lease_seconds=900))
    let_flow(minutes=16)
    sweep()
    assert by_channel()["sms"] == "unknown crashed"
    assert by_channel()["inbox"] == "queued"


def test_what_did_not_come_back_within_the_time_is_not_sent_a_second_time():
    fan_out(first_event(wait_minutes=60))
    send(one("sms"), channel="sms")
    let_flow(minutes=59)
    assert sweep() == []
    assert by_channel()["inbox"] == "standby"
    let_flow(minutes=2)
    assert sweep() == []
    assert by_channel() == {"sms": "sent", "inbox": "skipped not_needed", "email": "skipped not_needed"}


def test_while_the_first_channel_is_still_tried_the_next_stands_by():
    fan_out(first_event(wait_minutes=60))
    Delivery.objects.filter(channel="sms").update(due_at=timezone.now() + dt.timedelta(days=2))
    let_flow(hours=2)
    assert sweep() == []
    assert by_channel() == {"sms": "queued", "inbox": "standby", "email": "standby"}


def test_mail_that_bounced_becomes_an_sms_and_the_same_bounce_again_does_not_double_it():
    fan_out(flowing_event(channels=("email", "sms"), users=[reachable_user()], order="first"))
    send(one("email"))
    assert deliveries.next_after_bounce(one("email"))
    assert not deliveries.next_after_bounce(one("email"))
    assert sweep() == [("sms", one("sms").pk)]
    assert [message.address for message in send(one("sms"), channel="sms")] == ["+447400123456"]
    assert not deliveries.next_after_bounce(one("email"))
    assert by_channel() == {"email": "sent", "sms": "sent"}


def test_a_bounce_where_nothing_stands_by_asks_the_database_nothing(django_assert_num_queries):
    fan_out(flowing_event())
    send(one("email"))
    delivery = one("email")
    with django_assert_num_queries(0):
        assert not deliveries.next_after_bounce(delivery)


def test_a_wake_up_that_was_missed_is_made_up_for_when_what_stands_by_is_due():
    fan_out(first_event())
    Delivery.objects.filter(channel="sms").update(status="failed", due_at=None)
    let_flow(days=2)
    assert sweep() == [("inbox", one("inbox").pk)]


def test_what_a_person_takes_back_is_sent_by_no_other_channel():
    fan_out(first_event())
    deliveries.cancel([one("sms").pk])
    assert set(by_channel().values()) == {"cancelled"}


def test_what_was_not_needed_is_not_sent_by_trying_everything_again():
    fan_out(first_event())
    Delivery.objects.update(status="skipped", reason="not_needed")
    assert deliveries.retry(list(Delivery.objects.values_list("pk", flat=True))) == []


def test_what_a_gate_refuses_after_it_stood_by_wakes_the_one_after_it():
    fan_out(first_event())
    send(one("sms"), channel="sms", answer=Rejected("refused"))
    Delivery.objects.filter(channel="inbox").update(expires_at=timezone.now())
    assert send(one("inbox"), channel="inbox") == []
    assert by_channel() == {"sms": "failed refused", "inbox": "skipped expired", "email": "queued"}


# The inbox first


def inbox_first(**values):
    user = make_user()
    fan_out(
        flowing_event(
            channels=("email", "inbox"), users=[user], order="inbox_first", wait_minutes=30, **values
        )
    )
    return user


@pytest.mark.parametrize("is_read", [True, False])
def test_a_mail_goes_after_the_time_only_if_the_inbox_was_not_read(is_read):
    user = inbox_first()
    assert by_channel() == {"inbox": "queued", "email": "waiting if_unread"}
    item = add_item(user.pk, delivery=one("inbox").pk, title="first")
    send(one("inbox"), channel="inbox")
    assert sweep() == []
    if is_read:
        mark_all_read(user.pk, up_to=item.sequence)
    let_flow(minutes=31)
    assert sweep() == [("email", one("email").pk)]
    assert len(send(one("email"))) == (not is_read)
    assert by_channel()["email"] == ("skipped read" if is_read else "sent")


def test_another_persons_reading_counts_for_nobody_else():
    ada, bo = make_user(), make_user()
    fan_out(flowing_event(channels=("email", "inbox"), users=[ada, bo], order="inbox_first"))
    for user in (ada, bo):
        delivery = Delivery.objects.get(channel="inbox", recipient=f"user:{user.pk}")
        item = add_item(user.pk, delivery=delivery.pk, title="first")
    mark_all_read(bo.pk, up_to=item.sequence)
    let_flow(hours=2)
    assert [message.address for message in send(*[pk for channel, pk in sweep() if channel == "email"])] == [
        ada.email
    ]


def test_who_has_no_inbox_gets_the_mail_at_once():
    fan_out(
        flowing_event(
            channels=("email", "inbox"), users=[], addresses="email: press@example.com", order="inbox_first"
        )
    )
    assert by_channel() == {"email": "queued"}


# Races


def test_outcome_sweep_and_bounce_at_once_wake_the_next_channel_once():
    fan_out(first_event())
    [work] = deliveries.claim_deliveries([one("sms").pk], channel="sms", lease_seconds=900)
    before, woken = one("sms"), []
    Delivery.objects.exclude(channel="sms").update(due_at=timezone.now())
    in_threads(
        lambda: deliveries.record_answers([(work, Rejected("refused"))], POLICY),
        lambda: woken.append(fallback.next_after_bounce(before)),
        lambda: fallback.settle_due([one("inbox").pk], timezone.now()),
    )
    while rung := sweep():
        assert [pk for channel, pk in rung if channel != "inbox"] == []
        send(*[pk for _, pk in rung], channel="inbox")
    assert by_channel() == {"sms": "failed refused", "inbox": "sent", "email": "standby"}
    assert one("inbox").attempts == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
def test_the_next_channel_is_not_seen_before_the_outcome_of_the_one_before_is():
    fan_out(first_event())
    [work] = deliveries.claim_deliveries([one("sms").pk], channel="sms", lease_seconds=900)
    stored, look = threading.Event(), threading.Event()
    seen = []

    def fail():
        with transaction.atomic():
            deliveries.record_answers([(work, Rejected("refused"))], POLICY)
            stored.set()
            assert look.wait(PATIENCE_SECONDS)

    def sweep_meanwhile():
        assert stored.wait(PATIENCE_SECONDS)
        seen.extend(deliveries.take_due(10))
        look.set()

    in_threads(fail, sweep_meanwhile)
    assert seen == []
    assert sweep() == [("inbox", one("inbox").pk)]
