"""Windows in which several events are gathered into one message.

Called by ``flow``; ``gathering`` claims a window's deliveries together.

Note [windows]: the first that comes opens a window, what comes before its end joins it, and at its end all
that waits goes out together. Of two that open one at the same moment, the earlier end counts: the delivery
that is claimed takes along all that waits for the same person.

Note [the sooner]: a window that is open may be of an earlier setting (the person has chosen another, the rule
was changed), or be put off by a provider, or by quiet hours. What comes now goes at that end or at the end of
a window of its own, whichever is sooner, and what waits goes along. Who wants it at once by now gets it at
once, with what waits.
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

    ``wanted``: recipient → Preferences, of those who have chosen something. One query, or none where nobody
    has and the subscription has no windows.
    """

    def __init__(self, subscription, deliveries, wanted, now):
        self._minutes, self._wanted, self._now = subscription.digest_minutes, wanted, now
        recipients = {each.recipient for each in deliveries if self._minutes or each.recipient in wanted}
        self._open = dict(_open_windows(subscription, recipients, now)) if recipients else {}

    def end_for(self, delivery):
        """The time when this one goes out with the others: now, where it takes along what waits; None where
        it goes alone, at once. See note [the sooner].
        """
        own, there = self._own_end(delivery), self._open.get((delivery.recipient, delivery.channel))
        if own is None:
            return there and self._now
        return min(own, there or own)

    def _own_end(self, delivery):
        # What a person has chosen comes before what the rule says.
        person = self._wanted.get(delivery.recipient)
        if person and person.digest == Preferences.Digest.DAILY:
            return next_morning(delivery.time_zone, self._now)
        if person and person.digest == Preferences.Digest.HOURLY:
            return self._now + HOUR
        return self._now + dt.timedelta(minutes=self._minutes) if self._minutes else None


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
