"""The outcome of a channel's answer: a delivery ended, or is tried again. Called by ``answers``."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..channels import waits
from ..exceptions import Later, LeftOpen, OutcomeUnknown, Rejected, SendError, Skipped, TryAgain
from ..models import Delivery
from .claims import UNSETTLED, Work

# Any: see `claims`.
Status: Any = Delivery.Status

# What may have been sent is asked for (see `settling`), but not at once: what was posted is not everywhere in
# the same second.
ASK_AFTER = dt.timedelta(minutes=1)


# Exponential backoff with full jitter.
# https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS = 30, 3600


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The way a channel is repeated.

    ``at_most_once``: a crash leaves it for a person, or for the provider to be asked, where it can be
    (``can_ask``). ``horizon``: after that, it is given up.
    """

    at_most_once: bool
    horizon: dt.timedelta
    can_ask: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A provider took it: its id, and about what that costs, in millionths of a US dollar."""

    provider_id: str
    cost_micros: int = 0


NOT_SENT = Sent("")


# What a channel has answered to a Work; the text is a provider's id.
Answer = Sent | str | SendError


class Settled(NamedTuple):
    """The columns that a delivery is to have.

    ``postponed``: by our own choice, so that it does not count as an attempt.
    """

    status: str
    reason: str = ""
    detail: str = ""
    due_at: dt.datetime | None = None
    postponed: bool = False


class Times(NamedTuple):
    """The times when a delivery was begun, for the horizon, and when it expires."""

    begun: dt.datetime
    expires_at: dt.datetime | None


def read_times(answers: Sequence[tuple[Work, Answer]]) -> dict[int, Times]:
    """Delivery id → Times, of what may have to wait. One statement, or none."""
    may_wait = [work for work, answer in answers if isinstance(answer, Later | TryAgain | OutcomeUnknown)]
    if not may_wait:
        return {}
    keys = [each.pk for work in may_wait for each in work.everything]
    rows = Delivery.objects.filter(pk__in=keys).values_list("pk", "created_at", "restarted_at", "expires_at")
    return {pk: Times(max(filter(None, begun)), expires_at) for pk, *begun, expires_at in rows}


def unless_expired(outcome: Settled, times: Times | None) -> Settled:
    """``outcome``, or the end at once of what would wait for longer than it is of use: what stands by for it
    must not wait as well.
    """
    if outcome.due_at is None or not times or not times.expires_at or outcome.due_at < times.expires_at:
        return outcome
    if outcome.reason == UNSETTLED:  # to ask is never too late
        return outcome
    return Settled(Status.SKIPPED, "expired", f"The last: {outcome.reason} {outcome.detail}")


def settle(
    work: Work, answer: Answer, policy: Policy, now: dt.datetime, times: dict[int, Times]
) -> tuple[Sent, Settled]:
    """``(Sent, Settled)`` of one answer."""
    match answer:
        case Sent():
            return answer, Settled(Status.SENT)
        case str():
            return Sent(answer), Settled(Status.SENT)
        case Skipped():
            return NOT_SENT, Settled(Status.SKIPPED, answer.reason, answer.detail)
        case Later():
            return NOT_SENT, Settled(
                Status.WAITING, answer.reason, answer.detail, answer.due_at, postponed=True
            )
        case Rejected():
            return NOT_SENT, Settled(Status.FAILED, answer.reason, answer.detail)
        case LeftOpen():
            return NOT_SENT, Settled(Status.UNKNOWN, answer.reason, answer.detail)
        case OutcomeUnknown() if policy.at_most_once:
            return NOT_SENT, _open(work, answer, policy, now, times)
    due_at, end = now + _pause(work, answer), times[work.pk].begun + policy.horizon
    if due_at > end > now and _asked_for(answer) is not None:
        # A provider's word, however long, ends nothing: it is asked once more at the end.
        due_at = end
    if due_at > end:
        detail = f"After {work.attempts} attempts. The last: {answer.reason} {answer.detail}"
        return NOT_SENT, Settled(Status.FAILED, "gave_up", detail)
    return NOT_SENT, Settled(Status.WAITING, answer.reason, answer.detail, due_at)


def _open(
    work: Work, answer: SendError, policy: Policy, now: dt.datetime, times: dict[int, Times]
) -> Settled:
    """The provider is asked, as long as it could be told; without that, a person decides."""
    due_at = now + ASK_AFTER + _pause(work, answer)
    if not policy.can_ask or work.digest or due_at > times[work.pk].begun + policy.horizon:
        return Settled(Status.UNKNOWN, answer.reason, answer.detail)
    return Settled(Status.WAITING, UNSETTLED, f"{answer.reason}: {answer.detail}", due_at)


def _pause(work: Work, answer: SendError) -> dt.timedelta:
    if (seconds := _asked_for(answer)) is not None:
        return dt.timedelta(seconds=seconds)
    ceiling = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** (work.attempts - 1))
    return dt.timedelta(seconds=random.uniform(1, ceiling))  # noqa: S311 - jitter, not a secret


def _asked_for(answer: SendError) -> int | None:
    """Seconds that the provider asked for; None where it named no time that can be waited for."""
    return waits.bounded(answer.after_seconds) if isinstance(answer, TryAgain) else None
