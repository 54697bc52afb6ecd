"""What is old goes: first what was said and to whom, later that it was said; the counts stay, and what waits
stays whole.
"""

import datetime as dt

import pytest
from django.core import checks
from django.utils import timezone

from notifier import deliveries
from notifier.inbox.items import add_item, mark_read
from notifier.models import Attempt, ContentVersion, Delivery, Event, Feedback, HourlyCount, InboxItem
from notifier.operations import counts, retention
from tests.support.builders import make_delivery, make_event, make_user
from tests.support.functions import sweep

pytestmark = pytest.mark.django_db

NOW = timezone.now()
# One day before and after each of the two ages.
YOUNG, OLD, VERY_OLD = (NOW - dt.timedelta(days=days) for days in (89, 91, 731))


@pytest.fixture(autouse=True)
def _ages(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"KEEP_CONTENTS_DAYS": 90, "KEEP_RECORDS_DAYS": 730}


def make_old(created_at=OLD, *, status="sent", emptied_at=None, **values):
    """A delivery of an event of that time, ended a minute later, with an attempt and feedback that have
    something to say.
    """
    ended = (
        {}
        if status in ("queued", "waiting", "held")
        else {"finished_at": created_at + dt.timedelta(minutes=1), "due_at": None}
    )
    delivery = make_delivery(
        status=status, created_at=created_at, detail="Ada", reason="timeout", **ended, **values
    )
    Event.objects.filter(pk=delivery.event_id).update(
        created_at=created_at,
        emptied_at=emptied_at,
        explanation=[{"trigger": 1, "name": "T", "because": "Ada is not Bob."}],
    )
    Attempt.objects.create(delivery=delivery, number=1, status="waiting", detail="Ada", created_at=created_at)
    Feedback.objects.create(
        delivery=delivery, kind="bounced", detail="Ada", happened_at=created_at, key=f"key {delivery.pk}"
    )
    return delivery


def everything_said(delivery):
    """All texts that are stored of a delivery and its event."""
    delivery.refresh_from_db()
    event = Event.objects.get(pk=delivery.event_id)
    said = [delivery.recipient, delivery.address, delivery.detail, event.data, event.explanation, event.plan]
    said += [
        *Attempt.objects.values_list("detail", flat=True),
        *Feedback.objects.values_list("detail", flat=True),
    ]
    return str(said)


def test_an_old_event_says_nothing_any_more_and_still_counts():
    delivery = make_old(data={"title": "Ada"})
    address = delivery.address

    assert retention.purge() == retention.Purged(emptied=1)

    said = everything_said(delivery)
    assert "Ada" not in said
    assert address not in said
    assert (delivery.status, delivery.reason, Delivery.objects.count()) == ("sent", "timeout", 1)
    assert retention.purge() == retention.Purged()


def test_two_plain_addresses_of_one_event_stay_two():
    first = make_old()
    second = make_old(event=first.event)
    retention.purge()
    assert (
        Delivery.objects.filter(pk__in=[first.pk, second.pk], address="")
        .values("recipient")
        .distinct()
        .count()
        == 2
    )


def test_who_got_it_stays_known_for_a_user():
    user = make_user()
    delivery = make_old(recipient=f"user:{user.pk}")
    retention.purge()
    delivery.refresh_from_db()
    assert delivery.recipient == f"user:{user.pk}"


# All that can still be sent
@pytest.mark.parametrize("status", ["queued", "waiting", "held", "claimed", "sending"])
def test_what_is_not_over_keeps_what_it_says(status):
    delivery = make_old(VERY_OLD, data={"title": "Ada"}, status=status)
    Delivery.objects.filter(pk=delivery.pk).update(finished_at=None)
    assert retention.purge() == retention.Purged()
    assert "Ada" in everything_said(delivery)


@pytest.mark.parametrize("status", ["recorded", "fanning_out", "held"])
def test_an_event_that_is_not_fanned_out_keeps_what_it_says(status):
    event = make_event(created_at=VERY_OLD, status=status, data={"title": "Ada"})
    assert retention.purge() == retention.Purged()
    assert Event.objects.get(pk=event.pk).data == {"title": "Ada"}


def test_what_is_young_stays():
    delivery = make_old(YOUNG, data={"title": "Ada"})
    assert retention.purge() == retention.Purged()
    assert "Ada" in everything_said(delivery)


def test_what_is_very_old_is_gone_and_its_hour_keeps_its_count():
    delivery = make_old(VERY_OLD)
    counts.keep()
    before = list(HourlyCount.objects.values("hour", "channel", "status", "number"))

    # Emptied on this run, so late that it stays on record for as long as it would have otherwise.
    assert retention.purge() == retention.Purged(emptied=1)
    Event.objects.update(emptied_at=VERY_OLD + dt.timedelta(days=90))
    assert retention.purge() == retention.Purged(removed=1)
    counts.keep()

    assert not Event.objects.exists()
    assert not Delivery.objects.filter(pk=delivery.pk).exists()
    assert (Attempt.objects.count(), Feedback.objects.count()) == (0, 0)
    assert list(HourlyCount.objects.values("hour", "channel", "status", "number")) == before != []


def test_a_test_that_somebody_sent_to_themselves_goes_with_its_version():
    test = ContentVersion.objects.create(number=1, text="Ada")
    make_old(VERY_OLD, emptied_at=VERY_OLD, version_id=test.pk)
    retention.purge()
    assert not ContentVersion.objects.filter(pk=test.pk).exists()


def test_a_version_that_a_template_has_stays():
    delivery = make_old(VERY_OLD, emptied_at=VERY_OLD)
    retention.purge()
    assert ContentVersion.objects.filter(pk=delivery.version_id).exists()


def test_an_emptied_delivery_is_not_sent_once_more():
    """It could only be sent blank."""
    failed, sent = make_old(status="failed"), make_old()
    retention.purge()
    assert deliveries.retry([failed.pk], addresses={failed.pk: "a@example.com"}) == []
    assert deliveries.resend([sent.pk], addresses={sent.pk: "a@example.com"}) == []


@pytest.mark.parametrize(
    ("created_at", "is_read", "stays"),
    [
        (YOUNG, True, True),
        (OLD, False, True),  # nobody has seen it yet
        (OLD, True, False),
        (VERY_OLD, False, False),
    ],
)
def test_inbox_items_go_when_they_were_read_or_are_very_old(created_at, is_read, stays):
    user = make_user()
    item = add_item(user.pk, delivery=1, title="Ada")
    if is_read:
        mark_read(user.pk, [item.pk])
    InboxItem.objects.update(created_at=created_at)
    retention.purge()
    assert InboxItem.objects.exists() is stays


@pytest.mark.parametrize(
    ("contents", "records", "left"),
    [
        (None, None, 2),  # for ever
        (None, 730, 1),  # what goes as a record is emptied before
        (90, None, 2),
    ],
)
def test_no_age_keeps_for_ever(settings, contents, records, left):
    settings.NOTIFIER = settings.NOTIFIER | {"KEEP_CONTENTS_DAYS": contents, "KEEP_RECORDS_DAYS": records}
    make_old(VERY_OLD, emptied_at=VERY_OLD)
    make_old(OLD)
    retention.purge()
    assert Event.objects.count() == left


def test_it_goes_on_where_it_was_cut_off(monkeypatch):
    monkeypatch.setattr(retention, "PAGE_SIZE", 1)
    event = make_old().event
    for _ in range(4):
        make_old(event=event)
    asked = iter([False, False, False])
    assert retention.purge(lambda: next(asked, True)) == retention.Purged()
    assert 0 < Delivery.objects.filter(address="").count() < 5
    assert Event.objects.filter(emptied_at__isnull=True).exists()
    assert retention.purge() == retention.Purged(emptied=1)
    assert Delivery.objects.filter(address="").count() == 5


@pytest.mark.django_db(transaction=True)
def test_the_sweep_does_it_by_itself():
    delivery = make_old(data={"title": "Ada"})
    sweep()
    assert "Ada" not in everything_said(delivery)


def test_what_is_foreseen_is_what_is_done():
    make_old()
    make_old(VERY_OLD, emptied_at=VERY_OLD)
    foreseen = retention.foresee()
    assert foreseen == retention.Purged(emptied=1, removed=1)
    assert retention.purge() == foreseen


@pytest.mark.parametrize(
    ("contents", "records", "problems"),
    [
        (90, 730, 0),
        (None, None, 0),
        (None, 30, 0),
        (90, None, 0),
        (90, 90, 0),
        (0, 730, 1),  # would remove what has just come
        (-1, 730, 1),
        ("90", 730, 1),
        (True, 730, 1),
        (1.5, 730, 1),
        (90, 89, 1),
        ("a", "b", 2),
    ],
)
def test_ages_that_mean_nothing_are_errors(settings, contents, records, problems):
    settings.NOTIFIER = settings.NOTIFIER | {"KEEP_CONTENTS_DAYS": contents, "KEEP_RECORDS_DAYS": records}
    assert [each.id for each in checks.run_checks(tags=["compatibility"])].count("notifier.E009") == problems
