"""The data kept of one person: as a document for them (``exporting``), or removed. Calls ``belongings``,
``audience_lines``, ``mentions`` and ``retention``.

What went to a plain address that is the person's own, in whichever spelling, is the person's too: see note
[whose] in ``subjects``. Suppressed addresses and opt-outs are exported and stay: they are why nobody writes
to that person again. So does that something was sent to ``user:5``, and when, without a word of it.

Note [last]: erasing that is cut off is asked for once more, and goes on: whatever says that something is the
person's goes last. So first what is found by their addresses, then events, then deliveries to an address,
then those to the account, and contact points at the end.
"""

from dataclasses import dataclass, field

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat

from .. import deliveries
from ..models import Attempt, ContentVersion, Delivery, Event, Feedback, OptOut
from ..models.outbox import NAMELESS, OF_NO_RULE
from . import audience_lines, mentions, retention
from .belongings import deliveries_of, events_of, rows_of
from .exporting import export_person
from .paging import pages, remove
from .retention import ENDED
from .subjects import subject_of, user_labels

__all__ = ["Erased", "erase_person", "export_person"]


@dataclass
class Erased:
    """The rows that were removed of a person.

    ``under_way``: deliveries that a function was sending at that moment: erase once more, later.
    """

    rows: int = 0
    deliveries: int = 0
    events: int = 0
    cancelled: int = 0
    under_way: int = 0
    # Events that others are still to be told of: they say what they say until then. Erase once more, later.
    waiting: int = 0
    # Where rows of others, or of the site, said something of the person: see `mentions`.
    mentions: int = 0
    # Audiences that code declares: what it says of the person is there again with the next migration.
    in_code: list[str] = field(default_factory=list)


def erase_person(person):
    """Remove it.

    What waits for the person is cancelled; that something was sent stays on record, without an address. Twice
    is harmless.
    """
    erased, subject = Erased(), subject_of(person)
    mine = deliveries_of(subject)
    named, erased.in_code = audience_lines.remove(subject)
    erased.mentions += named + mentions.remove_from_plans(subject)
    erased.cancelled = _cancel(mine)
    erased.under_way = mine.filter(finished_at__isnull=True).count()
    erased.mentions += mentions.remove_elsewhere(subject, rows_of(subject)) + mentions.remove_names(subject)
    ended = mine.filter(finished_at__isnull=False)
    erased.deliveries = ended.exclude(address="", detail="").count()
    for page in pages(ended):
        _forget_words(page)
    _empty_events(subject, erased)
    _forget_addresses(ended, subject)
    for rows in rows_of(subject):
        if rows.model is not OptOut:
            erased.rows += remove(rows)
    return erased


def _cancel(mine):
    ready = mine.filter(status__in=deliveries.CANCELLABLE).only("pk")
    return sum(len(deliveries.cancel([delivery.pk for delivery in page])) for page in pages(ready))


def _forget_words(page):
    """Remove what providers call and say of a page of deliveries, and the text of a test."""
    keys = [delivery.pk for delivery in page]
    Attempt.objects.filter(delivery__in=keys).update(detail="", provider_id="")
    nameless = Concat(Value(NAMELESS), Cast("pk", CharField()))
    Feedback.objects.filter(delivery__in=keys).update(detail="", message_id="", key=nameless)
    Delivery.objects.filter(pk__in=keys).update(provider_id="", language="", time_zone="")
    tests = [delivery.version_id for delivery in page if delivery.subscription_id == OF_NO_RULE]
    ContentVersion.objects.filter(pk__in=tests, content__isnull=True).delete()


def _forget_addresses(ended, subject):
    """Those to plain addresses first: see note [last]."""
    for rows in ended.exclude(recipient=subject.key), ended:
        for page in pages(rows.only("pk")):
            retention.forget_addresses(Delivery.objects.filter(pk__in=[delivery.pk for delivery in page]))


def _empty_events(subject, erased):
    """Empty the person's events, and take out of others' inboxes what they have put there."""
    says_something = Q(emptied_at__isnull=True) | Q(key__isnull=False) | Q(dead_ends__isnull=False)
    for name in ("action_object", "actor", "reason"):
        says_something |= ~Q(**{name: ""})
    for page in pages(events_of(subject).filter(says_something, status__in=ENDED)):
        for event in page:
            # What is emptied before it was sent to others would reach them blank, or not at all.
            if Delivery.objects.filter(event=event, finished_at__isnull=True).exists():
                erased.waiting += 1
                continue
            this = Event.objects.filter(pk=event.pk)
            erased.mentions += remove(mentions.items_of(this, subject))
            columns = _blank_columns(event, subject)
            if event.emptied_at is None:
                retention.empty(event, **columns)
                erased.events += 1
            else:
                erased.events += this.exclude(_is(columns)).update(**columns)
    erased.mentions += remove(mentions.items_about(subject))


def _is(columns):
    """The rows that have these values; None is the database's own null."""
    return Q(
        *((f"{name}__isnull", True) if value is None else (name, value) for name, value in columns.items())
    )


def _blank_columns(event, subject):
    """What an event says beside its data. Which other account it is about, or which caused it, stays."""
    others = tuple(f"{label}:" for label in user_labels())
    columns = {"key": None, "reason": "", "dead_ends": None}
    for name in ("action_object", "actor"):
        text = getattr(event, name)
        columns[name] = text if text.startswith(others) and text not in subject.labels else ""
    return columns
