"""The attempts that did not end with a delivery being sent, on record for ``explaining``."""

from ..channels.storable import storable
from ..models import Attempt, Delivery

Status = Delivery.Status


def note_attempts(outcomes, numbers, now):
    """Keep what did not end with “sent”: ``(status, reason, detail, …)`` → delivery ids. One statement, or
    none.

    ``numbers``: delivery id → which attempt it was. Part of the caller's transaction, with the status itself.
    """
    not_sent = [
        Attempt(
            delivery_id=pk, number=numbers[pk], status=status, created_at=now,
            reason=storable(reason, 50), detail=storable(detail, 500),
        )
        for (status, reason, detail, *_), ids in outcomes.items() if status != Status.SENT
        for pk in ids
    ]  # fmt: skip
    if not_sent:
        Attempt.objects.bulk_create(not_sent)


def note_crashes(ids, now):
    """Keep the attempts of those of ``ids`` that were found at ``now`` to be of a dead function.

    In the transaction that marks them.

    Returns these deliveries.
    """
    crashed = list(
        Delivery.objects.filter(pk__in=ids, status=Status.UNKNOWN, reason="crashed", finished_at=now)
    )
    Attempt.objects.bulk_create(
        Attempt(
            delivery=each,
            number=each.attempts,
            status=each.status,
            reason=each.reason,
            detail=each.detail,
            created_at=now,
        )
        for each in crashed
    )
    return crashed


def note_open(delivery):
    """Keep the attempt of a dead function that may have sent it, as of when its lease ended.

    In the transaction that queues it again.
    """
    attempt = Attempt(
        delivery=delivery,
        number=delivery.attempts,
        status=Status.UNKNOWN,
        reason="crashed",
        created_at=delivery.due_at,
    )
    attempt.save()


def count_unanswered(work):
    """The number of times that a delivery was taken up without an answer on record.

    A provider that says “later” all day is no reason to give up. What is on record of a function that ended
    in the provider's call is no answer.
    """
    answered = Attempt.objects.filter(delivery_id=work.pk).exclude(reason="crashed")
    return work.attempts - answered.count()
