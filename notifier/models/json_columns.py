"""Columns of JSON that are read as what they are: whatever else a row holds is left out.

All rules are read at once, by each process. One row that was written by hand must not take the others with
it.
"""

import logging

from django.db import models

from ..templating.keys import is_row_key

logger = logging.getLogger(__name__)


class _Read(models.JSONField):
    """To the database, and to migrations, it is a JSONField."""

    def from_db_value(self, value, expression, connection):
        stored = super().from_db_value(value, expression, connection)
        found = self.read(stored)
        if found != stored:
            # Not what it holds: nobody knows what that is.
            logger.warning("A row of %s holds in “%s” what is left out.", self.model._meta.label, self.name)
        return found

    def deconstruct(self):
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.JSONField", args, options


class NamesField(_Read):
    """A list of names."""

    @staticmethod
    def read(found):
        return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


class TreeField(_Read):
    """Names below names, as ``templating.paths`` gives them: ``{"instance": {"title": {}}}``."""

    @classmethod
    def read(cls, found):
        return {name: cls.read(each) for name, each in found.items()} if isinstance(found, dict) else {}


class LinksField(_Read):
    """A list of pairs of keys, as ``events.causes`` has it: ``[[event, trigger], …]``; or None."""

    @staticmethod
    def read(found):
        if found is None:
            return None
        return [each for each in found if _is_link(each)] if isinstance(found, list) else []


def _is_link(found):
    return isinstance(found, list) and len(found) == 2 and all(map(is_row_key, found))
