"""The audiences that name a person: as a user, or by an address in a line of ``Audience.addresses``.

Called by ``privacy``.
"""

import re

from ..models import Audience
from .paging import pages

# What may stand around an address in a line that a person has written.
AROUND = re.compile(r"[\s,;<>()\[\]\"'“”]+")
NOT_DIGITS = re.compile(r"\D+")
# Fewer digits than these may be part of anything.
LEAST_DIGITS = 7


def find(subject):
    """Yield ``{"name", "chosen", "lines"}`` of each audience that names them."""
    for page in pages(Audience.objects.all()):
        chosen = _that_chose(subject, page)
        for audience in page:
            lines = [line.strip() for line in _lines(audience.addresses) if is_about(subject, line)]
            if lines or audience.pk in chosen:
                yield {"name": audience.name, "chosen": audience.pk in chosen, "lines": lines}


def remove(subject):
    """Take them out. Returns ``(places where they were named, names of the audiences that code declares)``:
    what code says is there again with the next migration.
    """
    removed, in_code = 0, []
    for page in pages(Audience.objects.all()):
        chosen = _that_chose(subject, page)
        for audience in page:
            found = _remove_lines(subject, audience)
            if found and audience.is_in_code:
                in_code.append(audience.name)
            if audience.pk in chosen:
                audience.users.remove(subject.user)
            removed += found + (audience.pk in chosen)
    return removed, in_code


def _that_chose(subject, page):
    """The keys of a page's audiences that have the user among theirs."""
    if subject.user is None:
        return set()
    found = Audience.objects.filter(pk__in=[each.pk for each in page], users=subject.user.pk)
    return set(found.values_list("pk", flat=True))


def _remove_lines(subject, audience):
    """Returns how many lines are gone. What somebody else writes meanwhile is not overwritten."""
    while True:
        lines = _lines(audience.addresses)
        kept = [line for line in lines if not is_about(subject, line)]
        if len(kept) == len(lines):
            return 0
        same = Audience.objects.filter(pk=audience.pk, addresses=audience.addresses)
        if same.update(addresses="".join(kept)):
            return len(lines) - len(kept)
        audience = Audience.objects.filter(pk=audience.pk).first()
        if audience is None:
            return 0


def _lines(text):
    return text.splitlines(keepends=True)


def is_about(subject, line):
    """Whether a line is the person's: their address on a channel, or, where it is no such line, a note that
    has it.
    """
    channel, colon, address = (part.strip() for part in line.partition(":"))
    if colon and subject.has(channel, address):
        return True
    words = [word.rstrip(".:") for word in AROUND.split(line)]
    if subject.has("", line.strip()) or any(subject.has("", word) for word in words if word):
        return True
    return line.lstrip().startswith("#") and _has_number(subject, line)


def _has_number(subject, line):
    """Whether a note has their number, with whatever stands between its digits."""
    digits = NOT_DIGITS.sub("", line)
    numbers = {own[1:] for _channel, own in subject.places if own.startswith("+")}
    return any(len(number) >= LEAST_DIGITS and number in digits for number in numbers)
