"""Every change of a delivery's status is in here. Next hop: ``notifier.feedback``, when the provider is heard again."""

from .answers import Policy, Sent, record_answers
from .claims import Work, claim_deliveries, mark_sending, release
from .drafts import queue_test
from .queueing import MAX_ATTEMPTS, RETRIABLE, UNHEARD_AFTER, UNREACHABLE, retry, ring_again_soon, take_due

__all__ = [
    "MAX_ATTEMPTS",
    "RETRIABLE",
    "UNHEARD_AFTER",
    "UNREACHABLE",
    "Policy",
    "Sent",
    "Work",
    "claim_deliveries",
    "mark_sending",
    "queue_test",
    "record_answers",
    "release",
    "retry",
    "ring_again_soon",
    "take_due",
]
