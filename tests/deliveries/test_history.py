"""Every attempt that did not end with “sent” stays on record, with the status itself, and costs those that
went well nothing.
"""

import datetime as dt
import logging

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifier import deliveries
from notifier.deliveries import Policy, Sent, history, take_due
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.models import Attempt, Delivery
from tests.support.builders import make_delivery

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
POLICY = Policy(at_most_once=True, horizon=DAY)
Status = Delivery.Status
GAVE_UP = "After 1 attempts. The last: throttled Slower."


def claim(*found):
    return deliveries.claim_deliveries([each.pk for each in found], channel="email", lease_seconds=900)


def attempts():
    return list(
        Attempt.objects.order_by("pk").values_list("delivery", "number", "status", "reason", "detail")
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Sent("ses-1"), None),
        ("ses-1", None),
        (Skipped("opted_out", "By SMS."), ("skipped", "opted_out", "By SMS.")),
        (Rejected("refused", "SES said no."), ("failed", "refused", "SES said no.")),
        (TryAgain("throttled", "Slower."), ("waiting", "throttled", "Slower.")),
        (OutcomeUnknown("timeout", "No answer."), ("unknown", "timeout", "No answer.")),
        # What fits, and what PostgreSQL stores
        (Rejected("r" * 60, "d\0" * 600), ("failed", "r" * 50, "d" * 500)),
    ],
)
def test_an_answer_that_is_not_a_success_is_kept_as_an_attempt(answer, expected):
    delivery = make_delivery()
    deliveries.record_answers([(work, answer) for work in claim(delivery)], POLICY)
    assert attempts() == ([(delivery.pk, 1, *expected)] if expected else [])


def test_that_it_was_given_up_is_kept_with_the_last_answer():
    delivery = make_delivery(created_at=timezone.now() - DAY)
    deliveries.record_answers([(work, TryAgain("throttled", "Slower.")) for work in claim(delivery)], POLICY)
    assert attempts() == [(delivery.pk, 1, "failed", "gave_up", GAVE_UP)]


def test_each_attempt_has_its_number():
    delivery = make_delivery()
    for number in (1, 2, 3):
        deliveries.record_answers([(work, TryAgain("throttled")) for work in claim(delivery)], POLICY)
        Delivery.objects.update(status=Status.QUEUED)
        assert [row[1] for row in attempts()] == list(range(1, number + 1))


def test_what_went_well_costs_one_statement_and_no_transaction():
    works = claim(*[make_delivery() for _ in range(5)])
    with CaptureQueriesContext(
        connection,
    ) as captured:
        deliveries.record_answers([(work, f"ses-{work.pk}") for work in works], POLICY)
    assert len(captured) == 1


def test_all_that_went_amiss_is_kept_by_one_statement():
    works = claim(*[make_delivery() for _ in range(6)])
    answers = [
        Rejected("refused"),
        Skipped("opted_out"),
        OutcomeUnknown("timeout"),
        "ses-1",
        Rejected("refused"),
        "ses-2",
    ]
    with CaptureQueriesContext(connection) as captured:
        deliveries.record_answers(list(zip(works, answers, strict=True)), POLICY)
    assert len([query for query in captured if "INSERT" in query["sql"]]) == 1
    assert sorted(row[2] for row in attempts()) == ["failed", "failed", "skipped", "unknown"]


def test_whoever_has_lost_the_claim_leaves_no_attempt(caplog):
    mine, taken = make_delivery(), make_delivery()
    works = claim(mine, taken)
    Delivery.objects.filter(pk=taken.pk).update(claim=1)
    with caplog.at_level(logging.ERROR):
        deliveries.record_answers([(work, Rejected("refused")) for work in works], POLICY)
    assert [row[0] for row in attempts()] == [mine.pk]
    assert "1 results came after their claim had ended" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_status_is_not_stored_without_its_attempt(monkeypatch):
    delivery = make_delivery()
    works = claim(delivery)

    def fail(rows):
        raise DatabaseError("disk full")

    monkeypatch.setattr(history.Attempt.objects, "bulk_create", fail)
    with pytest.raises(DatabaseError):
        deliveries.record_answers([(work, Rejected("refused")) for work in works], POLICY)
    delivery.refresh_from_db()
    assert (delivery.status, Attempt.objects.count()) == (Status.CLAIMED, 0)


def test_a_crash_while_the_provider_was_called_is_an_attempt_too():
    past = timezone.now() - DAY
    crashed = make_delivery(status=Status.SENDING, due_at=past, attempts=2)
    make_delivery(status=Status.WAITING, due_at=past, attempts=1)
    before = make_delivery(status=Status.UNKNOWN, reason="crashed", attempts=1, due_at=None, finished_at=past)
    take_due(100)
    assert [row[:4] for row in attempts()] == [(crashed.pk, 2, "unknown", "crashed")]
    assert before.pk not in [row[0] for row in attempts()]
    take_due(100)
    assert len(attempts()) == 1
