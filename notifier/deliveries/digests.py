"""Windows in which several events are gathered into one message.

Called by ``flow``; ``gathering`` claims a window's deliveries together.

Note [windows]: the first that comes opens a window, what comes before its end joins it, and at its end all
that waits goes out together. Of two that open one at the same moment, the earlier end counts: the delivery
that is claimed takes along all that waits for the same person.
"""

import datetime as dt

from django.db.models import Min
from django.utils import timezone

from ..models import Delivery, Preferences
from ..templating import languages

# One message holds so many; what is beyond goes in the next.
MOST_EVENTS = 100
HOUR = dt.timedelta(hours=1)
# When people who chose “once a day” get it, in their own time zone.
DAILY_AT = dt.time(8, 0)


class Windows:
    """The end of the window of each of a page's deliveries.

    One query, and none where everybody wants it once a day.
    """

    def __init__(self, subscription, deliveries, wanted, now):
        self._minutes, self._wanted, self._now = subscription.digest_minutes, wanted, now
        recipients = {each.recipient for each in deliveries if self._span_for(each)}
        self._open = dict(_open_windows(subscription, recipients, now)) if recipients else {}

    def end_for(self, delivery):
        """The time when this one goes out with the others, or None if at once."""
        person = self._wanted.get(delivery.recipient)
        if person and person.digest == Preferences.Digest.DAILY:
            return next_morning(person.time_zone or delivery.time_zone, self._now)
        span = self._span_for(delivery)
        return span and self._open.get((delivery.recipient, delivery.channel), self._now + span)

    def _span_for(self, delivery):
        # What a person has chosen comes before what the rule says.
        if person := self._wanted.get(delivery.recipient):
            return HOUR if person.digest == Preferences.Digest.HOURLY else None
        return dt.timedelta(minutes=self._minutes) if self._minutes else None


def _open_windows(subscription, recipients, now):
    waiting = Delivery.objects.filter(
        subscription=subscription,
        recipient__in=recipients,
        digest=True,
        status=Delivery.Status.WAITING,
        due_at__gt=now,
    )
    for recipient, channel, end in (
        waiting.order_by().values_list("recipient", "channel").annotate(Min("due_at"))
    ):
        yield (recipient, channel), end


def next_morning(zone_name, now):
    """The next DAILY_AT in a time zone, or in the site's."""
    local = now.astimezone(languages.zone_of(zone_name) or timezone.get_default_timezone())
    morning = dt.datetime.combine(local.date(), DAILY_AT, local.tzinfo)
    return (
        morning
        if morning > now
        else dt.datetime.combine(local.date() + dt.timedelta(days=1), DAILY_AT, local.tzinfo)
    )
