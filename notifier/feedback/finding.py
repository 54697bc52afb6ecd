"""Finds the delivery of a report. Called by ``recording``.

Note [both must fit]: the id that the message carried, and the provider's own id together with the address. So
a report of another system, or one that names a delivery of which it is not, changes nothing.

Note [sooner than we are]: a provider can be quicker than the commit of its own answer, and an answer can be
lost. Where the provider's id is not on record although it was asked, the id that the message carried and the
address are enough.
"""

import datetime as dt

from ..channels.recipient import normalise
from ..models import Delivery

Status = Delivery.Status

# Between a provider's stamp and that of our result: clocks differ, and the answer takes its time. Few
# deliveries finish in so long, so that no index on the provider's id is needed.
BEFORE, AFTER = dt.timedelta(seconds=60), dt.timedelta(seconds=120)
# As many as are called at once, by all functions of a channel.
MOST_SENDING = 100
# What these were told is on record: they were not sent.
REFUSED_AT_ONCE = (Status.SKIPPED, Status.FAILED, Status.CANCELLED, Status.HELD)


def find_delivery(report):
    """The delivery of a Report, locked until the transaction ends; None where there is none."""
    ours = Delivery.objects.select_for_update().filter(channel=report.channel)
    if report.delivery_id is not None:
        found = ours.filter(pk=report.delivery_id).first()
        return found if found and _is_to(found, report) and _is_known_by(found, report.message_id) else None
    return _find_sent(ours, report) or _find_sending(ours, report)


def earlier_ids(delivery):
    """A provider's ids of earlier sendings of the delivery, which a person has had sent once more."""
    return set(delivery.history.exclude(provider_id="").values_list("provider_id", flat=True))


def _is_to(delivery, report):
    if not report.addresses:
        # Each of our messages has one recipient, so its own id says who it is.
        return bool(report.message_id) and delivery.provider_id == report.message_id
    return normalise(delivery.address) in {normalise(each) for each in report.addresses}


def _is_known_by(delivery, message_id):
    if delivery.provider_id and delivery.provider_id == message_id:
        return True
    if delivery.attempts > 1:
        # One of them may have left no answer; an earlier sending's id is in its history, and the address was
        # compared.
        return True
    return delivery.attempts == 1 and not delivery.provider_id and delivery.status not in REFUSED_AT_ONCE


def _find_sent(ours, report):
    """By the provider's id, among those that finished when the report says that it was sent."""
    near = ours.filter(finished_at__gte=report.sent_at - BEFORE, finished_at__lt=report.sent_at + AFTER)
    found = near.filter(provider_id=report.message_id).first() if report.message_id else None
    return found if found and _is_to(found, report) else None


def _find_sending(ours, report):
    """By the address, among those whose provider is being called right now; nothing where two are."""
    found = [each for each in ours.filter(status=Status.SENDING)[:MOST_SENDING] if _is_to(each, report)]
    return found[0] if len(found) == 1 else None
