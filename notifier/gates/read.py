"""The gate of what was read in the site meanwhile, where it was to go only if left unread."""

from django.db.models import Exists, OuterRef, Q

from ..channels import registry
from ..exceptions import Skipped
from ..models import Delivery, InboxItem


def refuse(candidates, channel):
    """Skipped for those whose reader has seen the item that they follow.

    No query where nothing of that kind is asked about.
    """
    asked = [each for each in candidates if each.follows and registry.is_read_in_the_site(each.follows)]
    if not asked:
        return [None] * len(candidates)
    read = _read_in_the_site(asked)
    return [
        Skipped("read") if (each.event_id, each.subscription_id, each.recipient) in read else None
        for each in candidates
    ]


def _read_in_the_site(candidates):
    before = Delivery.objects.filter(
        event__in={each.event_id for each in candidates},
        subscription__in={each.subscription_id for each in candidates},
        channel__in={each.follows for each in candidates},
        recipient__in={each.recipient for each in candidates},
    )
    # A person who puts it away unread has seen what it is.
    seen = Q(read_at__isnull=False) | Q(archived_at__isnull=False)
    # One query: the items are found by the deliveries that made them.
    items = InboxItem.objects.filter(seen, delivery=OuterRef("pk"))
    return set(before.filter(Exists(items)).values_list("event_id", "subscription_id", "recipient"))
