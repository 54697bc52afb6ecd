"""Deliveries, from an event to a stored answer: every change of a delivery's status is in here.

Calls ``gates``, ``people`` and ``queue``; the functions in ``lambdas`` call it.
"""

from .announcements import announce_outcomes
from .answers import record_answers
from .claims import Work, claim_deliveries, mark_sending, release
from .fallback import next_after_bounce
from .gathering import gone_with
from .history import count_unanswered
from .holding import hold
from .outcomes import Policy, Sent
from .queueing import DELIVERY_UNHEARD_AFTER, MAX_ATTEMPTS, publish_on_commit, ring_again_soon, take_due
from .requests import (
    CANCELLABLE,
    RESENDABLE,
    RETRIABLE,
    SATISFIED,
    UNFINISHED_EVENTS,
    UNREACHABLE,
    cancel,
    cancel_events,
    resend,
    retry,
)
from .settling import mark_found
from .test_sends import queue_test

__all__ = [
    "CANCELLABLE",
    "DELIVERY_UNHEARD_AFTER",
    "MAX_ATTEMPTS",
    "RESENDABLE",
    "RETRIABLE",
    "SATISFIED",
    "UNFINISHED_EVENTS",
    "UNREACHABLE",
    "Policy",
    "Sent",
    "Work",
    "announce_outcomes",
    "cancel",
    "cancel_events",
    "claim_deliveries",
    "count_unanswered",
    "gone_with",
    "hold",
    "mark_found",
    "mark_sending",
    "next_after_bounce",
    "publish_on_commit",
    "queue_test",
    "record_answers",
    "release",
    "resend",
    "retry",
    "ring_again_soon",
    "take_due",
]
