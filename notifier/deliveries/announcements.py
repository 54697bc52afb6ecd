"""Tells a project's own receivers how deliveries ended.

Called by ``worker`` and ``queueing``, once it is stored; calls ``notifier.hooks``.
"""

from ..events.causes import caused_by
from ..hooks import notification_failed, notification_sent
from ..models import Delivery

Status = Delivery.Status

SIGNALS = {
    Status.SENT: notification_sent,
    Status.FAILED: notification_failed,
    Status.UNKNOWN: notification_failed,
}


def announce_outcomes(outcomes, *, channel):
    """Tell what came of deliveries, as ``record_answers`` has stored it. Django logs receivers that raise."""
    heard = {status: signal for status, signal in SIGNALS.items() if signal.has_listeners(Delivery)}
    for outcome in outcomes if heard else ():
        if signal := heard.get(outcome.status):
            more = ("provider_id",) if signal is notification_sent else ("reason", "detail")
            work = outcome.work
            with caused_by(work.event_id):
                signal.send_robust(
                    Delivery, delivery_id=work.pk, event_id=work.event_id, channel=channel,
                    recipient=work.recipient, status=str(outcome.status),
                    **{name: getattr(outcome, name) for name in more},
                )  # fmt: skip
