"""Applies a subscription's flow to a page of deliveries: left out, waiting, standing by. Called by
``singly``.

A subscription that says nothing of it costs no statement here.
"""

import datetime as dt
from collections import defaultdict
from functools import cached_property

from ..channels import registry
from ..channels.recipient import Recipient, user_keys
from ..models import Category, Delivery, Preferences
from ..rules import durations
from ..templating import keys
from . import allowances, digests

Status = Delivery.Status

# How long a message may come back before what stands by for it is not needed any more; a mail bounces within
# minutes, mostly.
HOUR_MINUTES, DAY_MINUTES = 60, 24 * 60
# When what stands by looks again at a delivery that has not ended.
LOOK_AGAIN = dt.timedelta(hours=1)


def skip(delivery, reason, detail, now):
    delivery.status, delivery.finished_at, delivery.due_at = Status.SKIPPED, now, None
    delivery.reason, delivery.detail = reason, detail


def wait_of(subscription):
    """The time that the later channels of a subscription wait for the earlier ones."""
    default = HOUR_MINUTES if subscription.order == subscription.Order.INBOX_FIRST else DAY_MINUTES
    return dt.timedelta(minutes=subscription.wait_minutes or default)


class Pace:
    """The flow of one subscription, for one event."""

    def __init__(self, event, subscription):
        self.event, self.subscription = event, subscription

    def in_order(self, contents):
        """``contents`` in the order of the subscription's channels, which the database's JSON does not
        keep.
        """
        order = [name for name in self.subscription.channels if name in contents]
        if self.subscription.order == self.subscription.Order.INBOX_FIRST:
            order.sort(key=lambda name: not registry.is_read_in_the_site(name))
        return {name: contents[name] for name in (*order, *(contents.keys() - set(order)))}

    @property
    def is_shaped(self):
        """Whether the subscription itself leaves out, gathers or queues up anything."""
        one = self.subscription
        return bool(
            one.cooldown_minutes or one.throttle_number or one.digest_minutes or one.order != one.Order.ALL
        )

    def arrange(self, deliveries, now):
        """Set on unsaved deliveries, of whole recipients, what the flow makes of them.

        Part of the transaction that writes them, once: see note [cut off] in ``fanout``.
        """
        self._leave_out(deliveries, now)
        self._gather(deliveries, now)
        if self.subscription.order != self.subscription.Order.ALL:
            self._queue_up(deliveries, now)

    def _leave_out(self, deliveries, now):
        """Skip the deliveries of people who have had enough of it, or of its object."""
        one, about = self.subscription, keys.sameness(self.event.action_object)
        cooldown, throttle = one.cooldown_minutes and about, one.throttle_number
        going = {each.recipient for each in deliveries if each.status != Status.SKIPPED}
        if not (cooldown or throttle) or not going:
            return
        if cooldown and (
            late := going
            - allowances.take(one.pk, going, about=about, number=1, minutes=one.cooldown_minutes)
        ):
            _skip_all(
                deliveries,
                late,
                "cooldown",
                f"Not again within {durations.in_words(one.cooldown_minutes)}.",
                now,
            )
            going -= late
        if throttle and (
            full := going
            - allowances.take(one.pk, going, number=one.throttle_number, minutes=one.throttle_minutes)
        ):
            detail = f"At most {one.throttle_number} in {durations.in_words(one.throttle_minutes)}."
            _skip_all(deliveries, full, "throttled", detail, now)
            if cooldown:
                allowances.give_back(one.pk, full, about=about)

    def _gather(self, deliveries, now):
        """Let those wait who get several events in one message."""
        going = [
            each
            for each in deliveries
            if each.status != Status.SKIPPED and not registry.is_read_in_the_site(each.channel)
        ]
        wanted = self._wanted(going)
        if not wanted and not self.subscription.digest_minutes:
            return
        ends = digests.Windows(self.subscription, going, wanted, now)
        for each in going:
            due_at = ends.end_for(each)
            each.digest = due_at is not None
            if due_at and due_at > now:
                each.status, each.reason, each.due_at = Status.WAITING, "digest", due_at

    def _wanted(self, deliveries):
        """Recipient → Preferences, of those who have chosen whether they want digests."""
        if not self._may_be_gathered:
            return {}
        found = Preferences.objects.filter(user__in=set(user_keys(deliveries)))
        return {str(Recipient.of_user(each.user_id)): each for each in found}

    @cached_property
    def _may_be_gathered(self):
        """Whether people have a say in when it comes: it has a category, and not one that is too important to
        wait.
        """
        category = self.event.category_id
        return category is not None and Category.objects.filter(pk=category, mandatory=False).exists()

    def _queue_up(self, deliveries, now):
        by_recipient = defaultdict(list)
        for each in deliveries:
            by_recipient[each.recipient].append(each)
        is_first = self.subscription.order == self.subscription.Order.FIRST
        for group in by_recipient.values():
            (self._stand_by if is_first else self._wait_for_reading)(group, now)

    def _stand_by(self, group, now):
        """Let each later channel stand by for the one before it; a person without the first is reached on the
        next, at once.
        """
        going = [each for each in group if each.status != Status.SKIPPED]
        for before, after in zip(going, going[1:], strict=False):
            before.followed_by, after.follows = after.channel, before.channel
            begins = going[0].due_at if going[0].status == Status.WAITING else now
            due_at = begins + wait_of(self.subscription)
            after.status, after.reason, after.due_at = Status.STANDBY, "", due_at

    def _wait_for_reading(self, group, now):
        first, *others = group
        if not registry.is_read_in_the_site(first.channel) or first.status == Status.SKIPPED:
            return
        due_at = now + wait_of(self.subscription)
        for each in others:
            if each.status != Status.SKIPPED:
                each.due_at = max(due_at, each.due_at) if each.status == Status.WAITING else due_at
                each.follows, each.status = first.channel, Status.WAITING
                each.reason = each.reason or "if_unread"


def _skip_all(deliveries, recipients, reason, detail, now):
    for each in deliveries:
        if each.recipient in recipients and each.status != Status.SKIPPED:
            skip(each, reason, detail, now)
