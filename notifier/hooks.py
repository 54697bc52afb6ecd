"""Signals that tell a project's own code how events and deliveries ended.

Sent by ``events.storing``, ``deliveries.announcements``, ``feedback.recording`` and ``gates.budgets``.

Note [once at most]: a receiver is called after what it is told of is stored, in the process that stored it. A
process that dies in between tells nobody, so a hook is for what follows; the rows of Event and Delivery are
the truth.
"""

from django.dispatch import Signal

# An event was committed. `event_id`, `trigger_id`, `verb`, and `status`: "recorded", "vetoed", "failed", …
event_recorded = Signal()
# The provider took a delivery. `delivery_id`, `event_id`, `channel`, `recipient`, `status`, `provider_id`.
notification_sent = Signal()
# A delivery ended without being sent ("failed"), or nobody knows ("unknown"). As above, with `reason` and
# `detail` for the id. Neither is sent of one that waits for another try, nor of one that was skipped: that is
# nobody's failure.
notification_failed = Signal()
# A provider said something of a delivery after it had taken it. `delivery_id`, `event_id`, `channel`,
# `recipient`, `kind` ("delivered", "bounced", "complained", …), `permanent`, `detail`, `returned`: what
# undoes the sending, by all that was heard so far, or blank.
feedback_received = Signal()

# Most of what a channel may cost this month is spent; and all of it, so that the rest is held. Once a month
# each, by the sweep. `channel`, `month` (its first day), `spent_micros` and `budget_micros`, in millionths of
# a US dollar.
budget_warning = Signal()
budget_reached = Signal()

ALL = (
    event_recorded,
    notification_sent,
    notification_failed,
    feedback_received,
    budget_warning,
    budget_reached,
)
