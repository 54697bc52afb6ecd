"""Asks a provider about what an attempt has left open, before anything is sent again. Called by ``worker``.

Note [who knows]: where a crash or a time-out hides the answer, a channel that sends at most once must not
send again by itself. Some providers can be asked: their channel has a function ``find_sent``. Then the
delivery waits as *unsettled*, and whoever takes it up asks first: what is there is recorded as sent, what is
not is sent, and only what the provider cannot tell is left for a person. A digest is not asked about: others
may have joined it since, so its text is another.

Note [whose it is]: two deliveries can have the same text. What is on record of another one, or of an earlier
sending of this one, is not this one's.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q
from django.utils import timezone

from ..channels import registry
from ..channels.message import Message
from ..channels.storable import storable
from ..events.causes import caused_by
from ..exceptions import LeftOpen, OutcomeUnknown, SendError, TryAgain
from ..models import Attempt, Delivery
from ..models.counts import mark_stale
from .claims import UNSETTLED, Work
from .composing import compose_messages
from .outcomes import Answer, Sent

logger = logging.getLogger(__name__)

# An attempt is on record when it was found to be open: at most a function's longest time after its call, and
# clocks differ. https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
LOOK_BACK = dt.timedelta(minutes=20)

# A message, the open session and since when → the provider's ids of what it has that is this message. It
# raises TryAgain where the provider cannot be asked now, OutcomeUnknown where it cannot tell.
FindSent = Callable[[Message, Any, dt.datetime], Sequence[str]]


def settle(
    works: Sequence[Work], channel: str, open_session: Callable[[], Any], price: Callable[[Message], int]
) -> tuple[list[Work], list[tuple[Work, Answer]]]:
    """``(works that can be sent, answers to the others)``, after asking about those that are open."""
    asked = [work for work in works if work.reason == UNSETTLED]
    if not asked:
        return list(works), []
    find = registry.finder(channel)
    ready, refused = compose_messages(asked, channel)
    answers: list[tuple[Work, Answer]] = [
        (work, LeftOpen(error.reason, "What it said cannot be made again.")) for work, error in refused
    ]
    not_there: set[int] = set()
    taken: set[str] = set()
    for work, message in ready:
        found = _ask(find, work, message, open_session(), taken)
        if isinstance(found, SendError):
            answers.append((work, found))
        elif found:
            taken.add(found)
            answers.append((work, Sent(found, price(message))))
        else:
            not_there.add(work.pk)
    return [work for work in works if work.reason != UNSETTLED or work.pk in not_there], answers


def mark_found(delivery: Delivery, provider_id: str) -> None:
    """Its provider speaks of one of which nobody knew: it has it, so it was sent.

    Part of the caller's transaction, which has locked the row. What has gone on another channel has gone.
    """
    if delivery.status != Delivery.Status.UNKNOWN or not provider_id:
        return
    mark_stale([delivery.finished_at])
    delivery.status, delivery.reason = str(Delivery.Status.SENT), ""
    delivery.detail, delivery.provider_id = "Its provider spoke of it later.", storable(provider_id, 200)
    delivery.save(update_fields=["status", "reason", "detail", "provider_id"])


def _ask(
    find: FindSent | None, work: Work, message: Message, session: Any, taken: set[str]
) -> str | SendError:
    """The provider's id of what went out; blank where nothing did; an error where that is not known.

    ``taken`` are those of this batch that are another's.
    """
    if find is None:
        return LeftOpen("unsettled", "Its channel cannot ask the provider any more.")
    try:
        with caused_by(work.event_id):
            ids = [storable(str(each), 200) for each in find(message, session, _since(work))]
    except TryAgain as error:
        return OutcomeUnknown(error.reason, error.detail)
    except OutcomeUnknown as error:
        return LeftOpen(error.reason, error.detail)
    except Exception as error:
        logger.error("What became of delivery %d could not be asked: %s", work.pk, type(error).__name__)
        return OutcomeUnknown("error", type(error).__name__)
    theirs = taken | _on_record(ids, work)
    return next((each for each in ids if each not in theirs), "")


def _since(work: Work) -> dt.datetime:
    """Before any call of this sending that may have gone out."""
    rows = list(Attempt.objects.filter(delivery=work.pk).order_by("-pk").values_list("status", "created_at"))
    open_since = timezone.now()
    for status, created_at in rows:
        if status == Delivery.Status.SENT:
            break
        open_since = min(open_since, created_at)
    return open_since - LOOK_BACK


def _on_record(ids: Sequence[str], work: Work) -> set[str]:
    """Those of ``ids`` that are another delivery's, or an earlier sending's."""
    if not ids:
        return set()
    # Few deliveries finish in so long, so that no index on the provider's id is needed.
    near = Q(finished_at__gte=_since(work))
    others = Delivery.objects.filter(near, provider_id__in=ids).exclude(pk=work.pk)
    earlier = Attempt.objects.filter(delivery=work.pk, provider_id__in=ids)
    return {*others.values_list("provider_id", flat=True), *earlier.values_list("provider_id", flat=True)}
