"""Times as people read and write them, at either end of the calendar as well.

The calendar has the years 1 to 9999. Near its ends a time of one time zone has no name in another.
"""

import datetime as dt

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_current_timezone, is_naive, localtime, make_aware

# A day of these can be named in every time zone.
FIRST_YEAR, LAST_YEAR = 2, 9998


def local(time):
    """``time`` in the current time zone; as it is where the calendar ends before that."""
    try:
        return localtime(time)
    except OverflowError:
        return time


def shifted(time, by):
    """``time`` moved ``by`` a timedelta; as it is where the calendar ends before that."""
    try:
        return time + by
    except OverflowError:
        return time


def read_moment(text, *, end=False):
    """The time that ``text`` means, in the current time zone; a bare day is its start, or with ``end`` its
    end. None for nothing.

    ValueError says how to write one.
    """
    if not text:
        return None
    try:
        day = parse_date(text)
        found = dt.datetime.combine(day + dt.timedelta(days=end), dt.time()) if day else parse_datetime(text)
    except (ValueError, OverflowError):
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"“{text}” is no day or time. Write 2026-01-31, or 2026-01-31T08:00.")
    return make_aware(found, get_current_timezone()) if is_naive(found) else found
