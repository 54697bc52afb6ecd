"""A person asks for another try of what was not sent."""

import pytest
from django.utils import timezone

from notifier import deliveries
from notifier.deliveries import MAX_ATTEMPTS, RETRIABLE
from notifier.models import Delivery, TemplateContent
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, invoke

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("status", Delivery.Status.values)
def test_only_what_ended_or_waits_is_queued_again(status):
    delivery = make_delivery(
        status=status,
        reason="refused",
        detail="So.",
        claim=7,
        attempts=3,
        finished_at=timezone.now(),
        due_at=None,
    )
    queued = deliveries.retry([delivery.pk])
    delivery.refresh_from_db()
    if status not in RETRIABLE:
        assert queued == []
        assert (delivery.status, delivery.claim, delivery.reason) == (status, 7, "refused")
        return
    assert queued == [("email", delivery.pk)]
    assert (delivery.status, delivery.reason, delivery.detail, delivery.claim) == ("queued", "", "", None)
    assert (delivery.finished_at, delivery.attempts) == (None, 3)
    assert delivery.due_at > timezone.now()


def mend(delivery, **parts):
    """Change the template as an administrator does; returns the new version's key."""
    content = TemplateContent.objects.get(versions=delivery.version_id)
    for part, source in parts.items():
        setattr(content, part, source)
    content.save()
    return content.version_id


MENDED = [
    # the new text, and whether an event that holds the title alone can give it
    ("Mended", True),
    ("{{ title }}!", True),
    ("{{ title }}, {{ user.first_name }}", True),  # the person is read at the delivery
    ("{{ title }} {{ instance.price }}", False),
    ("{{ title.short }}", False),
]


@pytest.mark.parametrize(("text", "is_used"), MENDED)
def test_a_mended_template_is_used_only_if_the_event_holds_what_it_reads(text, is_used):
    delivery = make_delivery(status="failed", reason="template_failed")
    before, after = delivery.version_id, mend(delivery, text=text)
    assert after != before
    deliveries.retry([delivery.pk])
    delivery.refresh_from_db()
    assert delivery.version_id == (after if is_used else before)


def test_deliveries_of_several_versions_each_get_their_own_newest():
    first, second = make_delivery(status="failed"), make_delivery(status="failed")
    newest = [mend(first, text="One"), mend(first, text="One, again")][-1], mend(second, text="Two")
    assert len(deliveries.retry([first.pk, second.pk])) == 2
    for delivery in (first, second):
        delivery.refresh_from_db()
    assert (first.version_id, second.version_id) == newest


def test_a_retried_delivery_is_sent_with_the_mended_text(cloud):
    delivery = make_delivery(parts={"text": "{{ title|divisibleby:0 }}"}, data={"title": 5})
    invoke("email", *bodies_for("email", [delivery.pk]))
    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == ("failed", "template_failed")
    mend(delivery, text="Mended: {{ title }}")
    deliveries.retry([delivery.pk])
    invoke("email", *bodies_for("email", [delivery.pk]))
    (received,) = cloud.outbox()
    assert received.text.strip() == "Mended: 5"


def test_what_was_given_up_after_many_attempts_gets_one_more(cloud):
    delivery = make_delivery(attempts=MAX_ATTEMPTS)
    invoke("email", *bodies_for("email", [delivery.pk]))
    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason, cloud.outbox()) == ("failed", "gave_up", [])
    deliveries.retry([delivery.pk])
    invoke("email", *bodies_for("email", [delivery.pk]))
    delivery.refresh_from_db()
    assert (delivery.status, len(cloud.outbox())) == ("sent", 1)


def test_a_second_click_queues_nothing_more():
    delivery = make_delivery(status="unknown", due_at=None)
    assert deliveries.retry([delivery.pk])
    assert deliveries.retry([delivery.pk]) == []


@pytest.mark.parametrize("reason", deliveries.UNREACHABLE)
def test_whom_the_fan_out_could_not_reach_is_left_alone(reason):
    delivery = make_delivery(status="skipped", reason=reason, due_at=None)
    assert deliveries.retry([delivery.pk]) == []
    delivery.refresh_from_db()
    assert delivery.status == "skipped"
