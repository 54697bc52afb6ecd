"""Retry, cancel, resend: done, rung for, written down, and told to the person who asked.

Calls ``notifier.deliveries``.
"""

from collections import defaultdict
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from ... import deliveries
from ...models import Delivery
from ...people.addresses import look_again
from ...queue.ring import rings_for
from ...templating.times import read_moment
from .retrying import can_be_retried

Status = Delivery.Status

# A request has half a minute; the rest can be chosen again.
MOST_AT_ONCE = 5_000


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that a person may ask of deliveries, in the words of its buttons and answers.

    ``%d`` is how many.
    """

    name: str
    label: Promise
    statuses: tuple[str, ...]
    question: Promise
    done: Promise
    left: Promise
    log: Promise
    # A few words to the question, for those of a status that need them.
    warnings: dict[str, Promise]
    always_asks: bool = False
    is_sending: bool = True


RETRY = Act(
    name="retry",
    label=_("Try again"),
    statuses=deliveries.RETRIABLE,
    question=ngettext_lazy("Try %d delivery again?", "Try %d deliveries again?"),
    done=ngettext_lazy("%d delivery is being tried again.", "%d deliveries are being tried again."),
    left=ngettext_lazy(
        "%d was left alone: it is sent, under way or not for sending.",
        "%d were left alone: they are sent, under way or not for sending.",
    ),
    log=_("Tried again."),
    warnings={
        Status.UNKNOWN: ngettext_lazy(
            "%d of them may have been sent already: that person could get it twice. Ask the provider first.",
            "%d of them may have been sent already: those people could get it twice. Ask the provider first.",
        )
    },
)
CANCEL = Act(
    name="cancel",
    label=_("Cancel sending"),
    statuses=deliveries.CANCELLABLE,
    question=ngettext_lazy("Cancel %d delivery?", "Cancel %d deliveries?"),
    done=ngettext_lazy("%d delivery is cancelled.", "%d deliveries are cancelled."),
    left=ngettext_lazy("%d was too late, or had ended before.", "%d were too late, or had ended before."),
    log=_("Cancelled."),
    warnings={},
    is_sending=False,
)
RESEND = Act(
    name="resend",
    label=_("Send once more"),
    statuses=deliveries.RESENDABLE,
    question=ngettext_lazy("Send %d delivery once more?", "Send %d deliveries once more?"),
    done=ngettext_lazy("%d delivery is being sent once more.", "%d deliveries are being sent once more."),
    left=ngettext_lazy(
        "%d was left alone: it is under way, was never sent, or reaches nobody any more.",
        "%d were left alone: they are under way, were never sent, or reach nobody any more.",
    ),
    log=_("Sent once more."),
    warnings={
        Status.SENT: ngettext_lazy("%d person gets it twice.", "%d people get it twice."),
        Status.CANCELLED: ngettext_lazy(
            "%d was cancelled, and is sent for the first time.",
            "%d were cancelled, and are sent for the first time.",
        ),
    },
    always_asks=True,
)
ACTS = {act.name: act for act in (RETRY, CANCEL, RESEND)}
_RUN = {"retry": deliveries.retry, "resend": deliveries.resend}


def acts_for(delivery):
    """The actions that one delivery allows now."""
    return [
        act
        for act in ACTS.values()
        if delivery.status in act.statuses and (act is not RETRY or can_be_retried(delivery))
    ]


def count(act, queryset):
    """The number of ``queryset`` that an act is for, by status: MOST_AT_ONCE of them, and whether there are
    more.
    """
    found = list(_ready(act, queryset)[: MOST_AT_ONCE + 1])
    by_status = defaultdict(int)
    for _pk, status, *_rest in found[:MOST_AT_ONCE]:
        by_status[status] += 1
    return by_status, len(found) > MOST_AT_ONCE


def _ready(act, queryset):
    rows = queryset.filter(status__in=act.statuses).order_by("pk")
    return rows.values_list("pk", "status", "channel", "recipient")


def perform(request, act, queryset, *, seen=""):
    """Do it to what of ``queryset`` can be done to, MOST_AT_ONCE at most, and tell the person who asked.

    Returns how many.

    ``seen``: when the person was asked, as ISO text. What has come since then was not asked about; what was
    queued again since then is not sent another time, so a second click does nothing. It is taken back,
    though: the end of a pause may have queued it.
    """
    if moment := _moment_of(seen):
        since = Q(created_at__gt=moment)
        queryset = queryset.exclude(since | Q(restarted_at__gt=moment) if act.is_sending else since)
    found = list(_ready(act, queryset)[: MOST_AT_ONCE + 1])
    rows = found[:MOST_AT_ONCE]
    left = queryset.order_by().exclude(status__in=act.statuses)[:MOST_AT_ONCE].count()
    done = _run(act, rows)
    # A function may have taken some up since they were read.
    _tell(
        request, act, [Delivery(pk=pk, channel=channel) for channel, pk in done], left + len(rows) - len(done)
    )
    if len(found) > MOST_AT_ONCE:
        messages.warning(
            request, _("There are more: no more than %d at a time. Choose them again.") % MOST_AT_ONCE
        )
    return len(done)


def _moment_of(seen):
    try:
        return read_moment(seen)
    except ValueError:
        # No page of ours wrote it; what may be done is asked of each row all the same.
        return None


def _run(act, rows):
    if not act.is_sending:
        return deliveries.cancel([row[0] for row in rows])
    addresses, unreachable = look_again(
        [(pk, channel, recipient) for pk, _status, channel, recipient in rows]
    )
    queued = _RUN[act.name]([row[0] for row in rows if row[0] not in unreachable], addresses=addresses)
    by_channel = defaultdict(list)
    for channel, pk in queued:
        by_channel[channel].append(pk)
    deliveries.publish_on_commit(
        [ring for name, keys in by_channel.items() for ring in rings_for(name, keys)]
    )
    return queued


def _tell(request, act, done, left):
    if done:
        LogEntry.objects.log_actions(request.user.pk, done, CHANGE, str(act.log))
        messages.success(request, act.done % len(done))
    if left:
        messages.warning(request, act.left % left)
    if not done and not left:
        messages.info(request, _("There was nothing to do."))
