"""The kept counts of rules, summed for people who look at one: what it sent of late, and ever.

Called by the pages of triggers, the overview and ``notify rules``; ``counts`` keeps what is summed here.
"""

from collections import Counter, defaultdict

from django.db.models import Q, Sum
from django.utils import timezone

from ..models import RuleCount
from .counts import HOUR, KIND_OF

# The periods of a rule's page, in hours; None is from its first delivery on.
PERIODS = {"day": 24, "month": 30 * 24, "ever": None}


def of_trigger(trigger):
    """``{(subscription, channel): {period: Counter by kind}}`` of one trigger (its id). One query."""
    now = timezone.now()
    sums = {
        period: Sum("number", filter=Q(hour__gt=now - hours * HOUR) if hours else None, default=0)
        for period, hours in PERIODS.items()
    }
    rows = (
        RuleCount.objects.filter(trigger_id=trigger)
        .order_by()
        .values_list("subscription_id", "channel", "status")
        .annotate(**sums)
    )
    found = defaultdict(lambda: {period: Counter() for period in PERIODS})
    for subscription, channel, status, *numbers in rows:
        for period, number in zip(PERIODS, numbers, strict=True):
            if number and status in KIND_OF:
                found[subscription, channel][period][KIND_OF[status]] += number
    return dict(found)


def by(column, begin):
    """``{id: Counter by kind}`` since ``begin``, by ``trigger_id`` or ``subscription_id``. One query."""
    rows = RuleCount.objects.filter(hour__gte=begin).order_by().values_list(column, "status")
    found = defaultdict(Counter)
    for key, status, number in rows.annotate(number=Sum("number")):
        if status in KIND_OF:
            found[key][KIND_OF[status]] += number
    return dict(found)
