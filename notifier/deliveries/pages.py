"""The people of an event, a page at a time, as they are written. Called by ``fanout``."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from django.contrib.auth import get_user_model
from django.db.models import F

from .. import conf
from ..models import Audience, Event, Lane, Subscription
from ..rules import audiences
from . import flow, sets, singly
from .rows import Written

logger = logging.getLogger(__name__)

# People a page: memory and the time between two cursors stay flat at any audience size.
PAGE_SIZE = 1000
# The column's.
MAX_REASON_CHARACTERS = Event._meta.get_field("reason").max_length
_SOURCES = [field.attname for field in Audience._meta.concrete_fields]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some people of an event, and how to write their deliveries at a time.

    ``cursor``: where the next page begins, as the event stores it. ``is_last``: there is none.
    """

    write: Callable[[dt.datetime], list[Written]]
    cursor: dict
    is_last: bool


def read_rules(event):
    """Key → Subscription, of those that the event was planned for and that are still switched on. One query.

    Each has ``sources``, its audiences, and the ``template_name``.
    """
    planned = Subscription.objects.filter(pk__in=[step["subscription"] for step in event.plan], enabled=True)
    names = {f"source_{name}": F(f"audiences__{name}") for name in _SOURCES}
    found: dict = {}
    for row in planned.annotate(template_name=F("template__name"), **names).order_by("pk", "audiences"):
        rule = found.setdefault(row.pk, row)
        rule.sources = getattr(rule, "sources", [])
        if row.source_id is not None:
            rule.sources.append(Audience(**{name: getattr(row, f"source_{name}") for name in _SOURCES}))
    return found


def pages_of(event, rules) -> Iterator[Page]:
    """Yield the Pages of an event, from its cursor on.

    Notes on the event, unsaved, what its audiences do not find any more, and that it is to very many.
    """
    begin = event.cursor or {"step": 0, "after": None}
    live = [position for position, step in enumerate(event.plan) if step["subscription"] in rules]
    for position, step in enumerate(event.plan):
        if position < begin["step"]:
            continue
        if position not in live:
            logger.info("Subscription %s was switched off after event %d.", step["subscription"], event.pk)
            continue
        after = begin["after"] if position == begin["step"] else None
        for write, last in _pages_of_step(event, rules[step["subscription"]], step, after):
            yield Page(
                write=write,
                cursor={"step": position + (last is None), "after": last},
                is_last=last is None and position == live[-1],
            )


def _pages_of_step(event, subscription, step, after):
    """Yield ``(write, key)``: the last user's, as text, or None where no more of this step can come."""
    gone: list[str] = []
    users, addresses = audiences.select_recipients(
        event, subscription.sources, step.get("recipients", ()), gone
    )
    note(event, *gone)
    pace = flow.Pace(event, subscription)
    step = step | {"contents": pace.in_order(step["contents"])}
    form = sets if sets.fits(pace, step, users) else singly
    key, number, is_full = get_user_model()._meta.pk.to_python(after), 0, True
    while is_full and (page := form.read_page(_after(users, key), step, PAGE_SIZE)):
        key, is_full, number = page[-1][0], len(page) == PAGE_SIZE, number + len(page)
        _choose_lane(event, users, number, is_full=is_full, more=len(addresses))
        yield partial(form.write, pace, step, page), str(key) if is_full or addresses else None
    if addresses:
        _choose_lane(event, users, number, is_full=False, more=len(addresses))
        yield partial(singly.write_addresses, pace, step, addresses, beside_users=key is not None), None


def _after(users, key):
    return users if key is None else users.filter(pk__gt=key)


def note(event, *sentences):
    """Add to the event's reason what it does not say yet. Not saved."""
    new = [text for text in dict.fromkeys(sentences) if text not in event.reason]
    event.reason = " ".join([event.reason, *new]).strip()[:MAX_REASON_CHARACTERS]


def _choose_lane(event, users, number, *, is_full, more):
    """Let an event to more than NOTIFIER["CONFIRM_ABOVE"] recipients go as bulk, whatever it was.

    ``number`` of the users are read by now; only where a page ``is_full`` are the others counted.
    """
    most = conf.get("CONFIRM_ABOVE")
    if event.lane == Lane.BULK:
        return
    if is_full and number == PAGE_SIZE <= most - more:
        number = users.order_by()[: most + 1].count()
    if number + more > most:
        event.lane = Lane.BULK
