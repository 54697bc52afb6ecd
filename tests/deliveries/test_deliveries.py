"""Every change of a delivery's status: what it is claimed by, what an answer makes of it, when it is due
again.
"""

import datetime as dt
import logging
import random

import pytest
from django.utils import timezone

from notifier import deliveries
from notifier.deliveries import DELIVERY_UNHEARD_AFTER, MAX_ATTEMPTS, Policy
from notifier.deliveries.outcomes import BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS
from notifier.exceptions import Later, OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.models import Delivery
from tests.support.builders import make_delivery

pytestmark = pytest.mark.django_db

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
AT_LEAST_ONCE = Policy(at_most_once=False, horizon=DAY)
AT_MOST_ONCE = Policy(at_most_once=True, horizon=DAY)
POLICIES = [AT_LEAST_ONCE, AT_MOST_ONCE]
EVERY = list(Delivery.Status.values)


def claim(*found, channel="email", lease_seconds=900):
    return deliveries.claim_deliveries(
        [each.pk for each in found], channel=channel, lease_seconds=lease_seconds
    )


def stored(delivery):
    delivery.refresh_from_db()
    return delivery


def seconds_until(moment):
    return (moment - timezone.now()).total_seconds()


# What an answer makes of a claimed delivery.


FINAL = [
    # answer, policies, status, reason, detail, provider's id
    ("an-id", POLICIES, "sent", "", "", "an-id"),
    ("", POLICIES, "sent", "", "", ""),  # a mail backend that tells no id
    ("x" * 300, POLICIES, "sent", "", "", "x" * 200),  # longer than the column
    (Skipped("opted_out"), POLICIES, "skipped", "opted_out", "", ""),
    (Skipped("invalid_address", "Not one."), POLICIES, "skipped", "invalid_address", "Not one.", ""),
    (Rejected("refused", "SES answered so."), POLICIES, "failed", "refused", "SES answered so.", ""),
    (Rejected("r" * 60, "d" * 600), POLICIES, "failed", "r" * 50, "d" * 500, ""),
    (
        Rejected("refused", "\x00a\x00 half \ud800"),
        POLICIES,
        "failed",
        "refused",
        "a half ?",
        "",
    ),  # PostgreSQL stores no such text
    (OutcomeUnknown("timeout", "No answer."), [AT_MOST_ONCE], "unknown", "timeout", "No answer.", ""),
]


@pytest.mark.parametrize(
    ("answer", "policy", "status", "reason", "detail", "provider_id"),
    [(answer, policy, *rest) for answer, policies, *rest in FINAL for policy in policies],
)
def test_these_answers_are_final(answer, policy, status, reason, detail, provider_id):
    delivery = make_delivery()
    (work,) = claim(delivery)
    deliveries.record_answers([(work, answer)], policy)
    after = stored(delivery)
    assert (after.status, after.reason, after.detail, after.provider_id) == (
        status,
        reason,
        detail,
        provider_id,
    )
    assert (after.due_at, after.claim, after.attempts) == (None, None, 1)
    assert after.finished_at


WAITING = [
    # answer, policies, least and most seconds until it is due
    (TryAgain("throttled", "Slower."), POLICIES, 1, BACKOFF_BASE_SECONDS),
    (TryAgain("throttled", "Slower.", after_seconds=900), POLICIES, 900, 900),
    (TryAgain("throttled", "Slower.", after_seconds=0), POLICIES, 0, 0),
    (OutcomeUnknown("throttled", "Slower."), [AT_LEAST_ONCE], 1, BACKOFF_BASE_SECONDS),
]


@pytest.mark.parametrize(
    ("answer", "policy", "least", "most"),
    [(answer, policy, *rest) for answer, policies, *rest in WAITING for policy in policies],
)
def test_these_answers_wait_for_their_time(answer, policy, least, most):
    delivery = make_delivery()
    (work,) = claim(delivery)
    before = timezone.now()
    deliveries.record_answers([(work, answer)], policy)
    after = stored(delivery)
    assert (after.status, after.reason, after.detail, after.provider_id) == (
        "waiting",
        "throttled",
        "Slower.",
        "",
    )
    assert (after.claim, after.finished_at, after.attempts) == (None, None, 1)
    pause = dt.timedelta(seconds=least), timezone.now() - before + dt.timedelta(seconds=most)
    assert pause[0] <= after.due_at - before <= pause[1]


GIVEN_UP = [
    # age, answer, what is left of it
    (DAY - HOUR, TryAgain("throttled", after_seconds=1800), "waiting"),
    (DAY - HOUR, TryAgain("throttled", after_seconds=5400), "waiting"),  # the last try is at its end
    (dt.timedelta(0), TryAgain("throttled", after_seconds=9_999_999_999), "waiting"),
    (DAY, TryAgain("throttled", after_seconds=60), "failed"),  # that was it
    (DAY, TryAgain("throttled"), "failed"),
    (DAY, OutcomeUnknown("timeout"), "failed"),
]


@pytest.mark.parametrize(("age", "answer", "status"), GIVEN_UP)
def test_beyond_its_horizon_a_delivery_is_given_up_with_the_last_answer(age, answer, status):
    delivery = make_delivery(created_at=timezone.now() - age, attempts=6)
    (work,) = claim(delivery)
    deliveries.record_answers([(work, answer)], AT_LEAST_ONCE)
    after = stored(delivery)
    assert after.status == status
    if status == "failed":
        assert (after.reason, after.due_at) == ("gave_up", None)
        assert "7 attempts" in after.detail
        assert answer.reason in after.detail
    else:
        assert after.due_at <= delivery.created_at + DAY


@pytest.mark.parametrize("policy", POLICIES)
def test_what_we_put_off_ourselves_is_no_attempt_however_often_and_is_tried_for_as_long_as_ever(policy):
    delivery = make_delivery(created_at=timezone.now() - DAY / 2, attempts=1)
    wakes = timezone.now() + 3 * DAY
    for _ in range(MAX_ATTEMPTS + 5):
        (work,) = claim(delivery)
        deliveries.record_answers([(work, Later("quiet_hours", "Until eight.", due_at=wakes))], policy)
        after = stored(delivery)
        assert (after.status, after.reason, after.detail, after.due_at) == (
            "waiting",
            "quiet_hours",
            "Until eight.",
            wakes,
        )
        assert (after.attempts, after.claim, after.finished_at, after.restarted_at) == (1, None, None, wakes)
        Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now() - HOUR)
        assert deliveries.take_due(10) == [("email", delivery.pk)]
    assert delivery.history.count() == 0
    # It has woken, three days on: a provider that says “later” then is not too late.
    Delivery.objects.filter(pk=delivery.pk).update(restarted_at=timezone.now())
    (work,) = claim(delivery)
    assert (work.attempts, work.reason) == (2, "quiet_hours")
    deliveries.record_answers([(work, TryAgain("throttled", after_seconds=60))], policy)
    assert (stored(delivery).status, delivery.history.count()) == ("waiting", 1)


@pytest.mark.parametrize("attempts", [1, 2, 3, 7, 8, MAX_ATTEMPTS])
def test_the_backoff_doubles_up_to_an_hour_with_full_jitter(attempts):
    ceiling = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** (attempts - 1))
    event = make_delivery().event
    made = [make_delivery(event=event, attempts=attempts - 1) for _ in range(20)]
    works = claim(*made)
    random.seed(1)
    before = timezone.now()
    deliveries.record_answers([(work, TryAgain("throttled")) for work in works], AT_LEAST_ONCE)
    waits = sorted((stored(each).due_at - before).total_seconds() for each in made)
    spent = (timezone.now() - before).total_seconds()
    assert waits[0] >= 1
    assert waits[-1] <= ceiling + spent
    # Full jitter: anywhere between nothing and the ceiling.
    assert waits[0] < ceiling / 3
    assert waits[-1] > ceiling * 2 / 3


def test_many_answers_are_stored_each_with_its_own_row():
    made = [make_delivery() for _ in range(5)]
    first, second, third, fourth, fifth = claim(*made)
    answers = [
        (first, "one"),
        (second, Skipped("opted_out")),
        (third, "three"),
        (fourth, TryAgain("throttled")),
        (fifth, "five"),
    ]
    deliveries.record_answers(answers, AT_LEAST_ONCE)
    found = [(each.status, each.provider_id) for each in map(stored, made)]
    assert found == [("sent", "one"), ("skipped", ""), ("sent", "three"), ("waiting", ""), ("sent", "five")]


def test_no_answers_are_nothing_to_store(django_assert_num_queries):
    with django_assert_num_queries(0):
        deliveries.record_answers([], AT_LEAST_ONCE)


# Claims.


CLAIMABLE = {
    # status → may be claimed before its due time, and after it
    "queued": (True, True),
    "waiting": (False, False),  # the sweep queues it when it is due
    "standby": (False, False),  # the sweep decides about it; see test_fallback
    "claimed": (False, True),  # its function is dead
    "sending": (False, False),  # nobody knows whether it was sent
    "sent": (False, False),
    "skipped": (False, False),
    "failed": (False, False),
    "held": (False, False),  # the sweep queues it when its pause is over
    "cancelled": (False, False),
    "unknown": (False, False),
}


@pytest.mark.parametrize(
    ("status", "is_due", "is_claimed"),
    [(status, due, CLAIMABLE[status][due]) for status in EVERY for due in (False, True)],
)
def test_only_what_is_queued_or_was_left_by_a_dead_function_is_claimed(status, is_due, is_claimed):
    due_at = timezone.now() + (-HOUR if is_due else HOUR)
    delivery = make_delivery(status=status, due_at=due_at, claim=7)
    before, works, now = timezone.now(), claim(delivery, lease_seconds=30), timezone.now()
    after = stored(delivery)
    if not is_claimed:
        assert works == []
        assert (after.status, after.claim, after.due_at, after.attempts) == (status, 7, due_at, 0)
        return
    (work,) = works
    assert (work.pk, work.address, work.recipient, work.attempts) == (
        after.pk,
        after.address,
        after.recipient,
        1,
    )
    assert (after.status, after.claim, after.attempts) == ("claimed", work.claim, 1)
    lease = dt.timedelta(seconds=30)
    assert before + lease <= after.due_at <= now + lease


def test_a_claim_takes_only_its_own_channel():
    mail, sms = make_delivery(), make_delivery(channel="sms")
    assert [work.pk for work in claim(mail, sms, channel="sms")] == [sms.pk]
    assert stored(mail).status == "queued"


def test_a_second_claim_finds_nothing():
    found = [make_delivery() for _ in range(3)]
    assert len(claim(*found)) == 3
    assert claim(*found) == []


def test_no_ids_ask_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert claim() == []


def test_a_result_that_comes_after_its_claim_has_ended_is_not_stored(caplog):
    late, in_time = make_delivery(), make_delivery()
    works = claim(late, in_time)
    Delivery.objects.filter(pk=late.pk).update(due_at=timezone.now() - HOUR)
    (successor,) = claim(late)
    with caplog.at_level(logging.ERROR, "notifier.deliveries"):
        deliveries.record_answers([(work, f"id of {work.pk}") for work in works], AT_LEAST_ONCE)
    assert (stored(late).status, late.claim, late.provider_id) == ("claimed", successor.claim, "")
    assert (stored(in_time).status, in_time.provider_id) == ("sent", f"id of {in_time.pk}")
    assert "1 results came after their claim had ended" in caplog.text


def test_a_result_is_stored_once_and_not_changed_by_another():
    delivery = make_delivery()
    (work,) = claim(delivery)
    deliveries.record_answers([(work, "first")], AT_LEAST_ONCE)
    deliveries.record_answers([(work, Rejected("refused"))], AT_LEAST_ONCE)
    assert (stored(delivery).status, delivery.provider_id) == ("sent", "first")


def test_after_a_lost_claim_nothing_may_be_sent():
    held, lost = make_delivery(channel="sms"), make_delivery(channel="sms")
    works = claim(held, lost, channel="sms")
    Delivery.objects.filter(pk=lost.pk).update(claim=1)
    assert not deliveries.mark_sending(works)
    assert (stored(lost).status, lost.claim) == ("claimed", 1)
    # The other was not sent either: it must not look as if it had been.
    assert stored(held).status == "claimed"
    assert deliveries.mark_sending(works[:1])
    assert stored(held).status == "sending"


def test_what_is_given_back_can_be_claimed_at_once_and_does_not_count_as_an_attempt():
    delivery = make_delivery()
    deliveries.release(claim(delivery, lease_seconds=30))
    assert (stored(delivery).status, delivery.claim, delivery.attempts) == ("queued", None, 0)
    assert seconds_until(delivery.due_at) <= 30
    assert claim(delivery)


def test_what_another_function_has_taken_over_is_not_given_back():
    delivery = make_delivery()
    works = claim(delivery)
    Delivery.objects.update(claim=1)
    deliveries.release(works)
    assert (stored(delivery).status, delivery.claim, delivery.attempts) == ("claimed", 1, 1)


# What is due.


DUE = {
    # status → status after the sweep took it, or None where it has no due time and is left alone
    "queued": "queued",  # its doorbell was lost
    "waiting": "queued",
    "standby": "queued",  # nothing came before it; it is rung for by the next page of the sweep
    "claimed": "queued",  # its function died
    "sending": "unknown",  # it died while the provider was being called
    "sent": None,
    "skipped": None,
    "failed": None,
    "held": None,  # it has no time: the end of its pause brings it back
    "cancelled": None,
    "unknown": None,
}


@pytest.mark.parametrize("status", EVERY)
def test_what_is_due_is_queued_again_or_left_for_a_person(status):
    delivery = make_delivery(status=status, claim=7, due_at=timezone.now() - HOUR if DUE[status] else None)
    taken = deliveries.take_due(10)
    after = stored(delivery)
    assert after.status == (DUE[status] or status)
    if status == "standby":
        assert (taken, after.due_at <= timezone.now()) == ([], True)
        return
    assert taken == ([("email", delivery.pk)] if after.status == "queued" else [])
    if after.status == "queued":
        assert after.claim is None
        assert dt.timedelta() < DELIVERY_UNHEARD_AFTER - (after.due_at - timezone.now()) < HOUR
        assert deliveries.take_due(10) == []


@pytest.mark.parametrize("status", [status for status, after in DUE.items() if after])
def test_what_is_not_due_yet_is_left_alone(status):
    delivery = make_delivery(status=status, claim=7, due_at=timezone.now() + HOUR)
    assert deliveries.take_due(10) == []
    assert (stored(delivery).status, delivery.claim) == (status, 7)


def test_those_that_have_waited_longest_are_taken_first_and_no_more_than_asked_for():
    now = timezone.now()
    made = [make_delivery(due_at=now - minutes * dt.timedelta(minutes=1)) for minutes in (1, 3, 2)]
    assert deliveries.take_due(2) == [("email", made[1].pk), ("email", made[2].pk)]
    assert deliveries.take_due(2) == [("email", made[0].pk)]


def test_what_could_not_be_rung_for_is_due_again_at_once():
    queued, taken_up = make_delivery(), make_delivery()
    claim(taken_up)
    lease_end = stored(taken_up).due_at
    deliveries.ring_again_soon([queued.pk, taken_up.pk])
    assert stored(queued).due_at <= timezone.now()
    assert stored(taken_up).due_at == lease_end
