"""Holds what is paused, and lets it go when its pause is over.

Called by ``claims`` and ``fanout``, which leave it alone, and by ``sweep``, which lets go.

Note [one row]: who holds something locks the pauses that it is held for, and who ends a pause locks the same
row. So the end comes after the holding, and then sees what was held; or before it, and then nothing is held.
No function has to know of another.

Note [nothing is stuck]: nothing remembers what a pause has held. The sweep lets go all that is held and not
paused, a page at a time, so it does not matter where a function crashed, nor that a pause was deleted by
other means.
"""

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from ..gates import pauses
from ..models import Delivery, Event

Status = Delivery.Status

PAGE_SIZE = 1000
# About what a fast channel's function sends from one sweep to the next: more at once would only wait in the
# queue, out of reach of a person who wants to pause or cancel it again.
MOST_UNDER_WAY = 10_000
MOST_EVENTS_UNDER_WAY = 5_000


def hold_unclaimed(ids, channel):
    """Hold those of ``ids`` that a claim has left queued because they are paused, until the pause is over.

    What is neither claimed nor paused (the pause ended between the two statements) is due at once: its
    message is used up.
    """
    left = Delivery.objects.filter(pk__in=ids, channel=channel, status=Status.QUEUED)
    if not left.exists():
        return
    with transaction.atomic():
        covered = pauses.read_scopes(lock=True).of_deliveries()
        (left if covered is None else left.filter(covered)).update(
            status=Status.HELD, due_at=None, claim=None
        )
        left.update(due_at=timezone.now())


def hold(works):
    """Hold deliveries that were claimed and not tried: the pause that stopped them began after the claim.

    See note [nothing is stuck].
    """
    if works:
        mine = Delivery.objects.filter(
            pk__in=[each.pk for work in works for each in work.everything],
            claim=works[0].claim,
            status=Status.CLAIMED,
        )
        mine.update(status=Status.HELD, due_at=None, claim=None, attempts=F("attempts") - 1)


def hold_event(event_id):
    """As ``hold_unclaimed``, for an event that a fan-out has left alone."""
    begun = Q(starts_at__isnull=True) | Q(starts_at__lte=timezone.now())
    left = Event.objects.filter(begun, pk=event_id, status=Event.Status.RECORDED)
    if not left.exists():
        return
    with transaction.atomic():
        covered = pauses.read_scopes(lock=True).of_events()
        (left if covered is None else left.filter(covered)).update(
            status=Event.Status.HELD, due_at=None, claim=None
        )
        left.update(due_at=timezone.now())


def release_events():
    """Let go a page of the events that are held and not paused, oldest first, if few are under way.

    Returns how many.
    """
    covered = pauses.read_scopes().of_events()
    held = Event.objects.filter(status=Event.Status.HELD)
    under_way = Event.objects.filter(
        status__in=[Event.Status.RECORDED, Event.Status.FANNING_OUT], due_at__isnull=False
    )
    if covered is None or not held.exists():
        return 0
    room = MOST_EVENTS_UNDER_WAY - under_way[:MOST_EVENTS_UNDER_WAY].count()
    ids = list(
        held.exclude(covered).order_by("pk").values_list("pk", flat=True)[: max(min(room, PAGE_SIZE), 0)]
    )
    now = timezone.now()
    return held.filter(pk__in=ids).update(status=Event.Status.RECORDED, due_at=now, restarted_at=now)


def release_deliveries():
    """Let go a page of each channel's deliveries that are held and not paused, oldest first, if few are under
    way. Returns how many.
    """
    scopes = pauses.read_scopes()
    covered = scopes.of_deliveries()
    if covered is None:
        return 0
    return sum(_release(channel, covered) for channel in _held_channels() if channel not in scopes.channels)


def _held_channels():
    """The channels of which something is held. One look into the index for each, however many are held."""
    held = Delivery.objects.filter(status=Status.HELD).order_by("channel").values_list("channel", flat=True)
    found = []
    while channel := (held.filter(channel__gt=found[-1]) if found else held).first():
        found.append(channel)
    return found


def _release(channel, covered):
    held = Delivery.objects.filter(channel=channel, status=Status.HELD)
    under_way = Delivery.objects.filter(channel=channel, status=Status.QUEUED, due_at__isnull=False)
    room = MOST_UNDER_WAY - under_way[:MOST_UNDER_WAY].count()
    ids = list(
        held.exclude(covered).order_by("pk").values_list("pk", flat=True)[: max(min(room, PAGE_SIZE), 0)]
    )
    now = timezone.now()
    return held.filter(pk__in=ids).update(status=Status.QUEUED, due_at=now, restarted_at=now, wanted_at=now)
