"""The kept counts are what counting everything would give, whatever happened and whenever the sweep came
by.
"""

import datetime as dt
import random
from collections import Counter

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from notifier import deliveries, models
from notifier.channels.registry import channel_names
from notifier.deliveries import Policy, Sent, claim_deliveries, record_answers
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.models import Delivery, Gauge, HourlyCount, RuleCount, StaleHour
from notifier.operations import backlog, counts, gauges, rule_counts
from tests.support.builders import make_delivery, make_event
from tests.support.functions import sweep
from tests.support.patience import in_threads

pytestmark = pytest.mark.django_db

Status = Delivery.Status
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
POLICY = Policy(at_most_once=True, horizon=dt.timedelta(days=100))
CHANNELS = ("email", "sms", "twitter")
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def clock(monkeypatch):
    """What `timezone.now()` says: ``clock.now``, which a test moves."""

    class Clock:
        now = NOON

    monkeypatch.setattr(timezone, "now", lambda: Clock.now)
    return Clock


def kept():
    """``(hour, channel, status)`` → ``(number, cost)``, as the page reads it."""
    return {
        (each.hour, each.channel, each.status): (each.number, each.cost_micros)
        for each in HourlyCount.objects.all()
    }


def truth():
    """The same, by looking at every delivery."""
    found = {}
    for each in Delivery.objects.exclude(finished_at=None):
        key = each.finished_at.replace(minute=0, second=0, microsecond=0), each.channel, each.status
        number, cost = found.get(key, (0, 0))
        found[key] = number + 1, cost + each.cost_micros
    return found


def kept_of_rules():
    """The same by rule: ``(hour, trigger, subscription, channel, status)`` → ``(number, cost)``."""
    return {
        (each.hour, each.trigger_id, each.subscription_id, each.channel, each.status): (
            each.number,
            each.cost_micros,
        )
        for each in RuleCount.objects.all()
    }


def truth_of_rules():
    found = {}
    for each in Delivery.objects.exclude(finished_at=None).select_related("event"):
        hour = each.finished_at.replace(minute=0, second=0, microsecond=0)
        key = hour, each.event.trigger_id, each.subscription_id, each.channel, each.status
        number, cost = found.get(key, (0, 0))
        found[key] = number + 1, cost + each.cost_micros
    return found


def finished(time, status=Status.SENT, **values):
    return make_delivery(status=status, finished_at=time, due_at=None, **values)


def answer(delivery, result):
    works = claim_deliveries([delivery.pk], channel=delivery.channel, lease_seconds=900)
    record_answers([(work, result) for work in works], POLICY)


ANSWERS = [
    Sent("id", 645),
    Sent("id", 645),
    Skipped("opted_out"),
    Rejected("refused"),
    OutcomeUnknown("no_answer"),
    TryAgain("busy", after_seconds=60),
]


def live_a_day(clock, dice, events):
    """Random things at random times, through the functions that do them in production; the sweep comes by
    when it likes.
    """
    for _ in range(120):
        clock.now += dt.timedelta(minutes=dice.choice([0, 1, 1, 5, 30, 200]), seconds=dice.randrange(60))
        deed = dice.random()
        if deed < 0.45:
            made = make_delivery(
                event=dice.choice(events), channel=dice.choice(CHANNELS), created_at=clock.now,
                due_at=clock.now + HOUR,
            )  # fmt: skip
            answer(made, dice.choice(ANSWERS))
        elif deed < 0.65:
            keys = list(Delivery.objects.values_list("pk", flat=True))
            deliveries.retry(dice.sample(keys, min(3, len(keys))))
        elif deed < 0.8:
            Delivery.objects.filter(due_at__isnull=False).update(due_at=clock.now)
            for _channel, pk in deliveries.take_due(100):
                answer(Delivery.objects.get(pk=pk), dice.choice(ANSWERS))
        else:
            counts.keep()


@pytest.mark.parametrize("seed", range(4))
def test_after_any_history_the_counts_are_those_of_counting_everything(clock, seed):
    contents = {channel: {"subject": ".", "text": "."} for channel in CHANNELS}
    live_a_day(clock, random.Random(seed), [make_event(contents=contents) for _ in range(3)])
    counts.keep()
    assert kept() == truth()
    assert kept_of_rules() == truth_of_rules()
    assert len({trigger for _, trigger, *_ in kept_of_rules()}) == 3
    assert len({status for _, _, status in kept()}) == 4, "The history was too tame."


def test_counting_again_changes_nothing(clock):
    finished(NOON - HOUR, cost_micros=100)
    counts.keep()
    before = kept()
    counts.keep()
    assert kept() == before == {(NOON - HOUR, "email", "sent"): (1, 100)}


def test_a_retry_that_succeeds_hours_later_moves_the_delivery_from_failed_to_sent(clock):
    delivery = finished(NOON, Status.FAILED)
    counts.keep()
    clock.now += 9 * HOUR
    deliveries.retry([delivery.pk])
    answer(delivery, Sent("id", 7))
    counts.keep()
    assert kept() == {(NOON + 9 * HOUR, "email", "sent"): (1, 7)}
    assert not StaleHour.objects.exists()


def test_a_sweep_that_was_missed_for_days_is_made_up_for(clock):
    counts.keep()
    for hours in (1, 30, 31, 75):
        finished(NOON + hours * HOUR)
    clock.now += 76 * HOUR
    counts.keep()
    assert kept() == truth()
    assert models.counts.counted_at() == clock.now


def test_what_time_does_not_allow_is_left_to_the_next_sweep(clock):
    for hours in range(0, 100, 20):
        finished(NOON + hours * HOUR)
    clock.now += 100 * HOUR
    times = iter([False, False, True])
    counts.keep(lambda: next(times))
    assert 0 < len(kept()) < 5
    assert models.counts.counted_at() < clock.now
    counts.keep()
    assert kept() == truth()


@pytest.mark.parametrize(
    ("minutes", "late"),
    [
        (59, 1),  # stamped in one hour, committed in the next
        (59, 5),
        (61, -3),  # by a clock that is ahead: the hour that it names is still to come
    ],
)
def test_a_result_that_is_committed_late_or_by_another_clock_is_counted(clock, minutes, late):
    counts.keep()
    clock.now = NOON + (minutes + late) * MINUTE
    counts.keep()
    finished(NOON + minutes * MINUTE)
    clock.now += MINUTE
    counts.keep()
    clock.now += HOUR
    counts.keep()
    assert kept() == truth()


def test_a_sweep_whose_clock_was_far_ahead_leaves_nothing_out(clock):
    clock.now = NOON + 48 * HOUR
    counts.keep()
    clock.now = NOON
    finished(NOON)
    counts.keep()
    assert kept() == truth()


def test_counts_outlive_the_deliveries(clock):
    """What is old is deleted one day; nobody sends for a season. The hours are not counted again for that."""
    finished(NOON)
    counts.keep()
    clock.now += 24 * HOUR
    counts.keep()
    event = Delivery.objects.get().event
    kept_by_rule = kept_of_rules()
    # The rule as well: what it sent stays counted.
    event.trigger.delete()
    event.delete()
    clock.now += 24 * HOUR
    counts.keep()
    assert kept() == {(NOON, "email", "sent"): (1, 0)}
    assert kept_of_rules() == kept_by_rule != {}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
@pytest.mark.django_db(transaction=True)
def test_of_two_sweeps_at_once_one_counts_and_the_other_goes_on():
    delivery = finished(timezone.now(), Status.FAILED)
    counts.keep()
    with transaction.atomic():
        Gauge.objects.select_for_update().get(name=models.counts.COUNTED)
        Delivery.objects.filter(pk=delivery.pk).update(status=Status.SENT)
        in_threads(counts.keep)  # which ends, though this transaction has not
    assert {status for _, _, status in kept()} == {"failed"}
    counts.keep()
    assert {status for _, _, status in kept()} == {"sent"}


def test_counting_costs_the_same_few_statements_however_much_there_is(clock, django_assert_num_queries):
    event = make_event()
    for _ in range(20):
        finished(NOON, event=event)
    counts.keep()
    for _ in range(20):
        finished(NOON, event=event)
    with transaction.atomic(), django_assert_num_queries(14):
        counts.keep()


def test_costs_are_summed_by_channel(clock):
    for channel, cost in ("sms", 6450), ("sms", 6450), ("email", 100):
        finished(NOON, channel=channel, cost_micros=cost)
    counts.keep()
    assert models.counts.cost_since(NOON) == {"sms": 12900, "email": 100}
    assert models.counts.cost_since(NOON + HOUR) == {}


# By rule


def test_what_a_rule_sent_is_summed_by_subscription_channel_and_period(clock, django_assert_num_queries):
    event, other = make_event(), make_event()
    subscription = event.plan[0]["subscription"]
    old = 31 * 24
    for hours, status in (1, "sent"), (2, "unknown"), (30, "cancelled"), (old, "sent"), (old, "failed"):
        finished(NOON - hours * HOUR, status, event=event)
    finished(NOON, event=other)
    counts.keep()
    with django_assert_num_queries(1):
        found = rule_counts.of_trigger(event.trigger_id)
    assert found == {
        (subscription, "email"): {
            "day": {"sent": 1, "failed": 1},
            "month": {"sent": 1, "failed": 1, "skipped": 1},
            "ever": {"sent": 2, "failed": 2, "skipped": 1},
        }
    }
    with django_assert_num_queries(1):
        assert rule_counts.by("trigger_id", NOON - 24 * HOUR) == {
            event.trigger_id: {"sent": 1, "failed": 1},
            other.trigger_id: {"sent": 1},
        }


# What waits


def test_what_waits_is_read_per_channel_with_the_oldest(clock):
    oldest = make_delivery(status=Status.WAITING, created_at=NOON - 3 * HOUR)
    make_delivery(status=Status.QUEUED, created_at=NOON - HOUR)
    make_delivery(channel="sms", status=Status.SENDING, created_at=NOON - 2 * HOUR)
    make_delivery(channel="sms", status=Status.HELD, due_at=None)
    finished(NOON)
    found = backlog.read(CHANNELS)
    assert [(found[name].waiting, found[name].held, found[name].oldest) for name in CHANNELS] == [
        (2, 0, oldest.created_at),
        (1, 1, NOON - 2 * HOUR),
        (0, 0, None),
    ]


def test_counting_what_waits_ends(monkeypatch):
    monkeypatch.setattr(backlog, "MOST_COUNTED", 2)
    event = make_event()
    for _ in range(3):
        make_delivery(event=event)
    found = backlog.read(["email"])["email"]
    assert (found.waiting, found.is_bounded) == (2, True)


def test_what_failed_lately_is_grouped_by_reason(clock):
    for reason, hours in ("refused", 1), ("refused", 2), ("refused", 30), ("template_failed", 1):
        finished(NOON - hours * HOUR, Status.FAILED, reason=reason)
    finished(NOON, Status.UNKNOWN, reason="crashed", channel="sms")
    finished(NOON, Status.SKIPPED, reason="opted_out")
    assert backlog.failures_since(NOON - 24 * HOUR) == Counter(
        {
            ("failed", "email", "refused"): 2,
            ("failed", "email", "template_failed"): 1,
            ("unknown", "sms", "crashed"): 1,
        }
    )


# The sweep's function, and what it asks AWS


def readings():
    return {name: gauge.value for name, gauge in gauges.read().items()}


@pytest.mark.django_db(transaction=True)
def test_the_sweep_counts_and_reads_what_aws_knows(cloud):
    import boto3

    sqs = boto3.client("sqs")
    sqs.send_message(
        QueueUrl=sqs.get_queue_url(QueueName="notifier-sms-dlq")["QueueUrl"], MessageBody="poison"
    )
    for name, rate in ("Reputation.BounceRate", 0.031), ("Reputation.ComplaintRate", 0.0004):
        boto3.client("cloudwatch").put_metric_data(
            Namespace="AWS/SES", MetricData=[{"MetricName": name, "Value": rate}]
        )
    finished(timezone.now())
    assert sweep() == 0
    assert HourlyCount.objects.get().number == 1
    assert readings() | {"ses.quota_used": 0} == {
        "counted": None, "aws.asked": None, "dlq.fanout": 0, "dlq.feedback": 0,
        **{f"dlq.{name}": 0 for name in channel_names()}, "dlq.sms": 1,
        "ses.bounce_rate": 0.031, "ses.complaint_rate": 0.0004, "ses.quota": 50000, "ses.send_rate": 5000,
        "ses.quota_used": 0, "ses.sending_enabled": 1,
    }  # fmt: skip


def asked(gate):
    return sum(call.action == "GetQueueAttributes" for call in gate.calls)


@pytest.mark.django_db(transaction=True)
def test_aws_is_asked_every_few_minutes_and_not_by_every_sweep(gate):
    sweep()
    first = asked(gate)
    assert first == len({"fanout", "feedback", *channel_names()})
    sweep()
    assert asked(gate) == first
    Gauge.objects.filter(name=gauges.ASKED).update(measured_at=F("measured_at") - 5 * MINUTE)
    sweep()
    assert asked(gate) == 2 * first


@pytest.mark.django_db(transaction=True)
def test_where_aws_refuses_the_sweep_rings_and_counts_and_the_old_reading_stays(gate):
    gauges.record({"dlq.email": 5})
    before = Gauge.objects.get(name="dlq.email").measured_at
    gate.answer("GetQueueAttributes", status=403, body='{"__type": "AccessDenied"}', times=100)
    make_delivery(due_at=timezone.now() - MINUTE)
    finished(timezone.now())
    assert sweep() == 1
    assert HourlyCount.objects.get().number == 1
    assert Gauge.objects.get(name="dlq.email").measured_at == before
    assert "ses.quota" in readings()


@pytest.mark.django_db(transaction=True)
def test_when_the_counts_fail_the_sweep_still_rings(gate, monkeypatch, caplog):
    monkeypatch.setattr(counts, "keep", lambda is_time_up: 1 / 0)
    make_delivery(due_at=timezone.now() - MINUTE)
    assert sweep() == 1
    assert "could not do all that comes after the ringing" in caplog.text
