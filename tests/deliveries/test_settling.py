"""What an attempt on a channel has left open is asked of its provider, and settled by what it says."""

import datetime as dt

import pytest
from django.utils import timezone

from notifier import deliveries
from notifier.exceptions import OutcomeUnknown
from notifier.models import Attempt, Delivery, Pause
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, invoke, let_time_pass, sweep

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def x(cloud):
    return cloud.x


def deliver(*rows):
    """As the channel's queue does it."""
    assert invoke("twitter", *bodies_for("twitter", [row.pk for row in rows])) == []
    for row in rows:
        row.refresh_from_db()


def again(*rows, pump):
    let_time_pass()
    sweep()
    pump.drain()
    for row in rows:
        row.refresh_from_db()


def left_open(x, *, taken):
    """A delivery of which X's answer did not come: because it was lost, or because X had not got it."""
    row = make_delivery(channel="twitter")
    if taken:
        x.drop_next()
    else:
        x.fail_next(503)
    deliver(row)
    assert (row.status, row.reason, row.finished_at) == ("waiting", "unsettled", None)
    assert row.due_at > timezone.now() + dt.timedelta(seconds=50)
    return row


def texts(x):
    return [post.text for post in x.posts]


@pytest.mark.parametrize("taken", [True, False])
def test_a_post_whose_answer_was_lost_is_asked_for_and_there_once(x, pump, taken):
    row = left_open(x, taken=taken)
    again(row, pump=pump)
    (post,) = x.posts
    assert (row.status, row.reason, row.provider_id) == ("sent", "", post.id)
    assert row.cost_micros == 15_000
    assert row.attempts == 2


def test_while_x_cannot_be_asked_it_is_asked_again_and_nothing_is_posted(x, pump):
    row = left_open(x, taken=False)
    for attempt in (2, 3):
        x.fail_next(429)
        again(row, pump=pump)
        assert (row.status, row.reason, row.attempts, texts(x)) == ("waiting", "unsettled", attempt, [])
    again(row, pump=pump)
    assert (row.status, len(x.posts)) == ("sent", 1)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_x_cannot_tell_is_left_for_a_person_and_not_posted(x, pump, status):
    row = left_open(x, taken=True)
    x.fail_next(status)
    again(row, pump=pump)
    assert (row.status, row.reason, len(x.posts)) == ("unknown", "cannot_tell", 1)
    assert str(status) in row.detail


def test_what_x_could_not_be_asked_for_in_all_its_time_is_left_for_a_person(x, pump):
    row = left_open(x, taken=False)
    Delivery.objects.filter(pk=row.pk).update(created_at=timezone.now() - dt.timedelta(hours=40))
    x.fail_next(503)
    again(row, pump=pump)
    assert (row.status, texts(x)) == ("unknown", [])


def test_of_two_with_the_same_text_each_has_its_own_post_or_none(x, pump):
    """X takes the second for a repetition; what is on record of the first is not the second's."""
    first = left_open(x, taken=True)
    second = make_delivery(channel="twitter", event=first.event, recipient="address:@other")
    x.fail_next(503)
    deliver(second)
    again(first, second, pump=pump)
    assert [post.id for post in x.posts] == [first.provider_id]
    assert (first.status, second.status) == ("sent", "sent")
    assert second.provider_id == "duplicate"


def test_what_was_posted_by_an_earlier_sending_is_not_taken_for_the_one_that_a_person_asked_for(x, pump):
    row = make_delivery(channel="twitter")
    deliver(row)
    first = row.provider_id
    deliveries.resend([row.pk])
    x.fail_next(503)
    deliver(row)
    again(row, pump=pump)
    # X itself takes no text twice.
    assert (row.status, row.provider_id, len(x.posts)) == ("sent", "duplicate", 1)
    assert first != "duplicate"


def test_what_has_expired_or_was_paused_meanwhile_is_asked_for_all_the_same(x, pump):
    expired, held = left_open(x, taken=True), left_open(x, taken=True)
    Delivery.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    pause = Pause.objects.create(scope="channel:twitter")
    again(expired, held, pump=pump)
    pause.delete()
    again(expired, held, pump=pump)
    again(expired, held, pump=pump)
    assert [row.status for row in (expired, held)] == ["sent", "sent"]
    assert [row.provider_id for row in (expired, held)] == [post.id for post in x.posts]


def test_what_has_expired_and_was_not_posted_is_not_posted_any_more(x, pump):
    row = left_open(x, taken=False)
    Delivery.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    again(row, pump=pump)
    assert (row.status, row.reason, texts(x)) == ("skipped", "expired", [])


def test_nobody_takes_back_or_repeats_by_hand_what_is_being_asked_for(x):
    row = left_open(x, taken=True)
    assert deliveries.cancel([row.pk]) == []
    assert deliveries.retry([row.pk]) == []
    row.refresh_from_db()
    assert (row.status, row.reason) == ("waiting", "unsettled")


def test_each_attempt_stays_on_record(x, pump):
    row = left_open(x, taken=False)
    again(row, pump=pump)
    (attempt,) = Attempt.objects.filter(delivery=row)
    assert (attempt.number, attempt.status, attempt.reason) == (1, "waiting", "unsettled")
    assert "provider_failed" in attempt.detail


def test_a_digest_is_left_for_a_person_as_others_may_have_joined_it():
    row = make_delivery(channel="twitter", digest=True)
    (work,) = deliveries.claim_deliveries([row.pk], channel="twitter", lease_seconds=900)
    policy = deliveries.Policy(at_most_once=True, horizon=dt.timedelta(hours=36), can_ask=True)
    deliveries.mark_sending([work])
    deliveries.record_answers([(work, OutcomeUnknown("timeout"))], policy)
    row.refresh_from_db()
    assert (row.status, row.reason) == ("unknown", "timeout")
