"""Minutes as people say them."""

from django.utils.translation import gettext as _, ngettext

# (minutes, name) of each unit, the largest first.
UNITS = ((24 * 60, "days"), (60, "hours"), (1, "minutes"))


def split(minutes):
    """``(number, unit)`` in the largest unit that divides it: 120 are 2 hours, 90 are 90 minutes."""
    size, unit = next((size, unit) for size, unit in UNITS if minutes % size == 0)
    return minutes // size, unit


def minutes_of(number, unit):
    """The minutes of ``number`` of a unit of UNITS."""
    return number * dict((name, size) for size, name in UNITS)[unit]


def in_words(minutes):
    """“2 hours”, “a day”, “90 minutes”."""
    number, unit = split(minutes)
    if unit == "days":
        return _("a day") if number == 1 else ngettext("%d day", "%d days", number) % number
    if unit == "hours":
        return _("an hour") if number == 1 else ngettext("%d hour", "%d hours", number) % number
    return _("a minute") if number == 1 else ngettext("%d minute", "%d minutes", number) % number
