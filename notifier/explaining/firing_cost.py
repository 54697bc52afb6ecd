"""The cost of one firing of a signal, measured in this process on this database. Called before one is chosen.

Note [measuring]: what does not match is recorded as any firing is, of a signal that nobody has a rule for;
what matches is an INSERT of an event that is rolled back. The least of several runs counts: the others had
something else to wait for.
"""

import timeit
from dataclasses import dataclass
from functools import cache

from django.db import DatabaseError, router, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from ..events import firings
from ..models import OF_NO_RULE, Event
from ..rules.inner_signals import FIRES_AT
from ..rules.signals import RegisteredSignal

ROUNDS, FIRINGS, INSERTS = 3, 200, 5


@dataclass(frozen=True)
class Cost:
    """Seconds of one firing: ``passed`` where no rule matches, ``stored`` of the INSERT where one does.

    ``stored`` is None where this database takes none now.
    """

    passed: float
    stored: float | None


@cache
def measured():
    """The Cost here, measured once a process: a few milliseconds."""
    nobodys = RegisteredSignal(name="", signal=Signal())
    runs = timeit.repeat(lambda: firings.record_firing(nobodys, None, {}), number=FIRINGS, repeat=ROUNDS)
    return Cost(min(runs) / FIRINGS, _insert_seconds())


def _insert_seconds():
    alias, runs = router.db_for_write(Event), []
    try:
        with transaction.atomic(using=alias):
            for _round in range(INSERTS):
                runs.append(timeit.timeit(_insert_one, number=1))
            transaction.set_rollback(True, using=alias)
    except DatabaseError:
        return None
    return min(runs)


def _insert_one():
    now = timezone.now()
    Event.objects.create(trigger_id=OF_NO_RULE, data={}, created_at=now)


def describe(verb):
    """A sentence that warns of a rule about the inner signal ``verb``: how often it fires, and its cost."""
    cost = measured()
    text = _("“%(signal)s” fires at %(at)s. Measured here, a thousand of them take %(passed)s")
    found = text % {"signal": verb, "at": FIRES_AT[verb], "passed": _in_words(1000 * cost.passed)}
    if cost.stored is not None:
        found += _(", and %(stored)s more where the rule matches, as each is stored as an event") % {
            "stored": _in_words(1000 * cost.stored)
        }
    return found + "."


def describe_all():
    """The same for whoever has not chosen one yet."""
    cost = measured()
    found = _(
        "Django’s inner workings fire all the time. Measured here, a thousand firings take %(passed)s"
    ) % {"passed": _in_words(1000 * cost.passed)}
    if cost.stored is not None:
        found += _(", and %(stored)s more where a rule matches") % {"stored": _in_words(1000 * cost.stored)}
    return found + "."


def _in_words(seconds):
    if seconds >= 1:
        return _("%.1f seconds") % seconds
    return _("%d ms") % max(1, round(1000 * seconds))
