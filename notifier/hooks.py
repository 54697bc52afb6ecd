"""Signals that say what came of it, for a project's own code. Sent by ``storing``, ``lambdas._handler``, ``feedback`` and the sweep.

Note [once at most]: a receiver is called after what it is told of is stored, in the process that stored it. A process that dies in
between tells nobody, so a hook is for what follows; the rows of Event and Delivery are the truth.
"""

from contextvars import ContextVar

from django.dispatch import Signal

# An event was committed. `event_id`, `trigger_id`, `verb`, and `status`: "recorded", "vetoed", "failed", …
event_recorded = Signal()
# The provider took a delivery. `delivery_id`, `event_id`, `channel`, `recipient`, `status`, `provider_id`.
notification_sent = Signal()
# A delivery ended without being sent ("failed"), or nobody knows ("unknown"). As above, with `reason` and `detail` for the id.
# Neither is sent of one that waits for another try, nor of one that was skipped: that is nobody's failure.
notification_failed = Signal()
# A provider said something of a delivery after it had taken it. `delivery_id`, `event_id`, `channel`, `recipient`, `kind` ("delivered",
# "bounced", "complained", …), `permanent`, `detail`, `returned`: what undoes the sending, by all that was heard so far, or blank.
feedback_received = Signal()

# Most of what a channel may cost this month is spent; and all of it, so that the rest is held. Once a month each, by the sweep.
# `channel`, `month` (its first day), `spent_micros` and `budget_micros`, in millionths of a US dollar.
budget_warning = Signal()
budget_reached = Signal()

ALL = (event_recorded, notification_sent, notification_failed, feedback_received, budget_warning, budget_reached)

# What a receiver itself causes is recorded, and not announced to it again: it would never end.
_announcing = ContextVar("notifier_announcing", default=False)


def wants_events():
    """Whether somebody would hear of an event that is recorded now."""
    from .models import Event

    return not _announcing.get() and event_recorded.has_listeners(Event)


def announce_events(told):
    """Tell the receivers of ``event_recorded``; ``told`` are its arguments, event by event. Django logs those that raise."""
    from .models import Event

    token = _announcing.set(True)
    try:
        for arguments in told:
            event_recorded.send_robust(Event, **arguments)
    finally:
        _announcing.reset(token)


def announce_outcomes(outcomes, *, channel):
    """Tell what came of deliveries, as ``deliveries.record_answers`` has stored it. Django logs receivers that raise."""
    from .models import Delivery

    signals = {
        Delivery.Status.SENT: notification_sent,
        Delivery.Status.FAILED: notification_failed,
        Delivery.Status.UNKNOWN: notification_failed,
    }
    for outcome in outcomes:
        signal = signals.get(outcome.status)
        if signal and signal.has_listeners(Delivery):
            more = ("provider_id",) if signal is notification_sent else ("reason", "detail")
            work = outcome.work
            signal.send_robust(
                Delivery, delivery_id=work.pk, event_id=work.event_id, channel=channel, recipient=work.recipient,
                status=str(outcome.status), **{name: getattr(outcome, name) for name in more},
            )  # fmt: skip


def announce_feedback(feedback, delivery):
    """Tell what a provider has said of a delivery, once that is committed. Django logs receivers that raise."""
    from .models import Delivery

    feedback_received.send_robust(
        Delivery, delivery_id=delivery.pk, event_id=delivery.event_id, channel=delivery.channel, recipient=delivery.recipient,
        kind=str(feedback.kind), permanent=feedback.permanent, detail=feedback.detail, returned=delivery.returned,
    )  # fmt: skip
