"""Deliveries that may be what ended their function. Called by ``worker`` and ``queueing``.

Note [alone and last]: a function can end without an answer: a template without an end, no memory left, a
fault in a library. Which of the deliveries that it held has done it, nobody knows. So whoever takes them up
next first sends all others, then these, one at a time, and holds no other meanwhile: whatever ends it again
is the one that it holds, and the others do not count it as a try of theirs. Those that were tried least come
first, and of them the last: functions send in the order of the keys, so the first of what they left is the
likeliest.
"""

from collections import defaultdict
from collections.abc import Sequence

from .claims import UNANSWERED, UNSETTLED, Work

SUSPECT = (UNANSWERED, UNSETTLED)


def set_apart(works: Sequence[Work]) -> tuple[list[Work], list[list[Work]]]:
    """``(others, suspects)`` of what was claimed, the suspects message by message, in the order to try them.

    Those of a digest are one message, and share its fate.
    """
    if not any(work.reason in SUSPECT for work in works):
        return list(works), []
    messages: dict[object, list[Work]] = defaultdict(list)
    for work in works:
        messages[(work.subscription_id, work.recipient) if work.digest else work.pk].append(work)
    suspects = [each for each in messages.values() if any(work.reason in SUSPECT for work in each)]
    apart = {work.pk for each in suspects for work in each}
    return [work for work in works if work.pk not in apart], sorted(suspects, key=_order)


def _order(message: Sequence[Work]) -> tuple[int, bool, int]:
    tries, first = max(work.attempts for work in message), message[0]
    # Of two posts with one text, what the provider has is the first one's.
    is_asked = first.reason == UNSETTLED
    return tries, is_asked, first.pk if is_asked else -first.pk
