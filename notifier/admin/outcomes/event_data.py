"""An event's data as a person reads it: the names that templates use, and their values. Called by
``timeline``.
"""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from .. import display

# A list in an event holds up to 500 items; a page that shows so many rows is read by nobody.
MOST_ROWS = 300
WORDS = {None: display.NOTHING, True: _("yes"), False: _("no"), "": _("(blank)")}


def rows_of(data):
    """``(path, value)`` pairs: ``("instance.title", "Linen")``, MOST_ROWS at most; a last row says when there
    are more.
    """
    rows = []
    for row in _walk("", data):
        if len(rows) == MOST_ROWS:
            return [*rows, ("…", _("and more"))]
        rows.append(row)
    return rows


def _walk(path, value):
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            # An object's own text, as `{{ instance }}` shows it, is kept under no name; of what model it is,
            # its path says.
            if name != "model" or "pk" not in value:
                yield from _walk(".".join(part for part in (path, name) if part), inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _walk(f"{path}.{number}", inner)
    else:
        yield path, _shown(value)


def _shown(value):
    if isinstance(value, dt.datetime):
        return display.moment(value)
    if value is None or isinstance(value, bool | str):
        return WORDS.get(value, value)
    return display.NOTHING if value in ({}, []) else str(value)
