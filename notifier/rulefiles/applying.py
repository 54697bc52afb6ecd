"""One import under way: its changes so far, what is stale, and how a row is written."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import router

from ..channels.storable import storable
from ..models import Trigger
from .schema import LANES, SINGULAR

# As a row that no code declares is said to be kept.
HERE = "in the database"


def is_declared(row):
    """Whether code declares the row, or has declared it: then no file leaves it out."""
    return bool(getattr(row, "declared", ""))


@dataclass(frozen=True, kw_only=True)
class Change:
    """The change that an import made to one row.

    ``action``: created, changed, removed, or kept: not in the file, and left alone.

    ``fields``: ``(key, old, new)`` of a change.
    """

    action: str
    what: str
    fields: tuple = ()


def _stored(key, value):
    """A file's ``value`` as the column holds it."""
    if key.kind == "lane":
        return LANES.get(value)
    return "\n".join(value) if key.kind == "lines" else value


class Run:
    """One import.

    ``written``: (row, path in the file, keys) of all rows of the file; ``broken``: paths of what could not be
    written.

    ``leftover``: contents and subscriptions that only the database has. ``declared``: what the rows that it
    writes say of where they are kept; blank is here, which takes those over that code declares.
    """

    def __init__(self, rules, places, source, prune, progress, declared=""):
        self.rules, self.places, self.prune, self.progress = rules, places, prune, progress
        self.declared = declared
        # A file's name may hold what is no text.
        self.note = storable(f"From {source}.") if source else ""
        self.alias = router.db_for_write(Trigger)
        self.changes, self.problems = [], []
        self.rows, self.written, self.broken, self.leftover = {}, [], set(), []
        self.total = sum(
            1 + len(row.get("contents", row.get("subscriptions", ())))
            for part in rules.values()
            for row in part.values()
        )

    def find(self, path, section, key, name):
        """The row that the file names: one of its own, or of the database if that keeps it."""
        stays = (each for each, row in self.rows[section].items() if not self.prune or is_declared(row))
        known = self.rules[section].keys() | set(stays)
        if name in known:
            # Without a row it is refused already, where it stands itself.
            return self.rows[section].get(name)
        where = "in code" if self.declared else "in this file"
        where += "" if self.prune else ", nor in the database"
        self.refuse(
            (*path, key),
            f"There is no {SINGULAR[section]} “{name}” {where}. There are: "
            f"{', '.join(sorted(known)) or 'none'}.",
        )

    def apply(self, path, row, keys, old, wanted, *, what, **saving):
        """Write ``wanted`` to ``row`` if that differs from ``old``.

        Returns the row, or None where a field cannot hold it.
        """
        stale = [key for key in keys if key.kind != "rows" and (not old or old[key.name] != wanted[key.name])]
        columns = {field.attname for field in row._meta.concrete_fields}
        for key in stale:
            # Relations are set by the caller, which knows their rows.
            if key.column in columns:
                setattr(row, key.column, _stored(key, wanted[key.name]))
        kept = getattr(row, "declared", self.declared)
        if kept != self.declared:
            row.declared = self.declared
        if stale or not old or kept != self.declared:
            try:
                row.clean_fields()
            except ValidationError as error:
                self.broken |= {path, path[:2]} if path[0] == "templates" else {path}
                self.refuse_all(path, keys, error)
                return None
            row.save(**saving)
            fields = [(key.name, old[key.name], wanted[key.name]) for key in stale] if old else []
            if old and kept != self.declared:
                fields.append(("kept", kept or HERE, self.declared or HERE))
            action = "changed" if old else "created"
            self.changes.append(Change(action=action, what=what, fields=tuple(fields)))
        self.written.append((row, path, keys))
        self.progress(len(self.written), self.total)
        return row

    def refuse_all(self, path, keys, error):
        names = {key.column: key.name for key in keys}
        for field, texts in error.message_dict.items():
            for text in texts:
                self.refuse((*path, names[field]) if field in names else path, text)

    def refuse(self, path, text):
        problem = self.places.problem(path, text)
        if problem not in self.problems:
            self.problems.append(problem)
