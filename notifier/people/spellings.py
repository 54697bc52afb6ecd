"""Rows by an address in any of its spellings, in columns that keep what somebody wrote.

Called by the fan-out, by ``explaining``, ``operations`` and the admin's searches.

Note [two forms]: ``channels.recipient.normalise`` says which spellings are one address. No database knows all
of it, so it is asked for a little more, the rows whose column may be another spelling, and ``normalise``
decides about each. `tests/people/test_spellings.py` holds that none is missed.
"""

from functools import reduce

from django.db.models import Func, Q, TextField, Value
from django.db.models.functions import Cast, Lower, Replace

from ..channels.recipient import DEFAULT_PORTS, normalise

# What `str.strip` takes away; a database's TRIM takes spaces alone.
WHITESPACE = "".join(filter(str.isspace, map(chr, range(0x3001))))
# What may stand in a number that is written in ASCII, in the order in which it is taken out.
IN_NUMBERS = (" ", "tel:", "(0)", "(", ")", "-", ".", "/")
# Only these are written in other letters, or with marks that nobody sees.
NOT_ASCII = "[^ -~]"
_IN_ASCII = {"sqlite": f"NOT GLOB '*{NOT_ASCII}*'", "postgresql": f"!~ '{NOT_ASCII}'"}


def find(rows, column, addresses):
    """``(row, address)`` of the rows of a queryset whose ``column`` is one of ``addresses``, in any spelling;
    of these it is the normal form. One query, or none where no address is given.
    """
    wanted = {normalise(each) for each in addresses} - {""}
    if not wanted:
        return []
    may_be = _those_that_may_be(rows.annotate(notifier_written=Cast(column, TextField())), wanted)
    return [(row, address) for row in may_be if (address := normalise(row.notifier_written)) in wanted]


def trimmed(expression):
    """A text without the white space around it, as ``str.strip`` takes it away, as an expression."""
    return Func(expression, Value(WHITESPACE), function="TRIM", output_field=TextField())


def is_plain_mail(column, vendor):
    """SQL for: the normal form of a trimmed ``column`` is what LOWER makes of it. A condition, false of much
    that is an address.
    """
    letters = _IN_ASCII[vendor]
    return (
        f"{column} LIKE '%%@%%' AND {column} NOT LIKE '%%://%%' AND {column} NOT LIKE '%%.' "
        f"AND {column} {letters}"
    )


def _those_that_may_be(rows, wanted):
    numbers = {each for each in wanted if each.startswith("+") and each[1:].isdecimal()}
    may_be = Q(notifier_written__regex=NOT_ASCII)
    if forms := {form for each in wanted - numbers for form in _in_ascii(each)}:
        rows = rows.alias(notifier_plain=Lower(trimmed("notifier_written")))
        may_be |= Q(notifier_plain__in=forms)
    if numbers:
        digits = reduce(_without, IN_NUMBERS, Lower("notifier_written", output_field=TextField()))
        rows = rows.alias(notifier_digits=digits)
        may_be |= Q(notifier_digits__in=numbers | {f"00{each[1:]}" for each in numbers})
    return rows.filter(may_be)


def _without(text, part):
    return Replace(text, Value(part, TextField()), Value("", TextField()))


def _in_ascii(address):
    """The spellings of a normal form that are ASCII, in small letters."""
    scheme, is_url, rest = address.lower().partition("://")
    if not is_url:
        return (address, f"{address}.")
    end = min((at for mark in "/?#\\" if (at := rest.find(mark)) >= 0), default=len(rest))
    ports = ("", DEFAULT_PORTS.get(scheme, ""))
    return tuple(f"{scheme}://{rest[:end]}{dot}{port}{rest[end:]}" for dot in ("", ".") for port in ports)
