"""The gate of quiet hours: what comes in them waits for their end.

Note [the clock changes]: quiet hours are what a clock on the wall shows. Where it is put back, an hour that
is quiet is quiet twice; an end within the time that is left out comes as much later, for what comes after it
as well.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.utils import timezone

from ..channels import registry
from ..channels.recipient import Recipient
from ..exceptions import Later
from ..models import OF_NO_RULE, Category, Event, Preferences
from ..people.whereabouts import primary_keys
from ..templating import languages

# One statement for all candidates: who of them has quiet hours, for which of their events.
_QUIET = f"""
    SELECT wish.id, wish.user_id, wish.time_zone, wish.quiet_from, wish.quiet_until, event.id AS event
    FROM {Preferences._meta.db_table} AS wish
    JOIN {Event._meta.db_table} AS event ON event.id IN ({{events}})
    LEFT JOIN {Category._meta.db_table} AS category ON category.id = event.category_id
    WHERE wish.user_id IN ({{users}}) AND wish.quiet_from IS NOT NULL AND wish.quiet_until IS NOT NULL
        AND (category.id IS NULL OR NOT category.mandatory)
"""  # noqa: S608 - the tables' names are our own

_ROWS = f"""
    SELECT 1 FROM {Preferences._meta.db_table}
    WHERE user_id IN ({{users}}) AND quiet_from IS NOT NULL AND quiet_until IS NOT NULL
"""  # noqa: S608


def rows(_candidates, channel, keys):
    """All that ``refuse`` could go by, whatever the time, of the users of these primary keys."""
    if not keys or not registry.disturbs(channel):
        return "SELECT 1 WHERE 1 = 0", []
    return _ROWS.format(users=", ".join(["%s"] * len(keys))), _stored(keys)


def refuse(candidates, channel):
    """Later for those whose quiet hours are now, unless the category is mandatory or the channel disturbs
    nobody. One query.
    """
    asked = [
        each
        for each in candidates
        if each.subscription_id != OF_NO_RULE and Recipient.parse(each.recipient).is_user
    ]
    if not asked or not registry.disturbs(channel):
        return [None] * len(candidates)
    now = timezone.now()
    found = {(row.event, str(Recipient.of_user(row.user_id))): row for row in _read(asked)}
    return [_answer(found.get((each.event_id, each.recipient)), each.time_zone, now) for each in candidates]


def _read(asked):
    events, keys = {each.event_id for each in asked}, primary_keys(asked)
    if not keys:
        return []
    statement = _QUIET.format(
        events=", ".join(map(str, map(int, events))), users=", ".join(["%s"] * len(keys))
    )
    return Preferences.objects.raw(statement, _stored(keys))


def _stored(keys):
    """Users' keys as the column holds them."""
    field, connection = get_user_model()._meta.pk, connections[router.db_for_read(Preferences)]
    return [field.get_db_prep_value(key, connection) for key in keys]


def _answer(wish, time_zone, now):
    if wish is None or (end := quiet_until(wish, now, time_zone)) is None:
        return None
    return Later("quiet_hours", f"Until {describe_end(wish, end, time_zone)}.", due_at=end)


def describe_end(wish, end, time_zone=""):
    """“07:00 in Europe/Berlin”."""
    zone = _zone(wish, time_zone)
    return f"{end.astimezone(zone):%H:%M} in {zone.key}"


def quiet_until(wish, now, time_zone=""):
    """The end of the quiet hours that ``now`` falls into, as an aware time; None outside of them.

    See note [the clock changes].

    ``time_zone`` is the one that counts where the person has chosen none.
    """
    if wish.quiet_from is None or wish.quiet_until is None or wish.quiet_from == wish.quiet_until:
        return None
    zone = _zone(wish, time_zone)
    local = now.astimezone(zone)
    over_midnight = wish.quiet_from > wish.quiet_until
    after_from, before_until = local.time() >= wish.quiet_from, local.time() < wish.quiet_until
    if not (after_from or before_until if over_midnight else after_from and before_until):
        return _end_left_out(wish, local, zone)
    day = local.date() + dt.timedelta(days=over_midnight and after_from)
    ends = (
        dt.datetime.combine(day, wish.quiet_until.replace(fold=fold), tzinfo=zone).astimezone(dt.UTC)
        for fold in (0, 1)
    )
    return next((end for end in ends if end > now), None)


def _end_left_out(wish, local, zone):
    """The end of quiet hours that the clock has jumped over, where it is still to come; else None."""
    yesterday = local.date() - dt.timedelta(days=wish.quiet_from > wish.quiet_until)
    begin, end = (
        dt.datetime.combine(day, time, tzinfo=zone).astimezone(dt.UTC)
        for day, time in ((yesterday, wish.quiet_from), (local.date(), wish.quiet_until))
    )
    is_left_out = end.astimezone(zone).time() != wish.quiet_until
    return end if is_left_out and begin <= local.astimezone(dt.UTC) < end else None


def _zone(wish, time_zone):
    name = languages.zone_name(wish.time_zone) or languages.zone_name(time_zone)
    return ZoneInfo(name) if name else ZoneInfo(timezone.get_default_timezone_name())
