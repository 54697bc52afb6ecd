"""The version of the rules, by which every process sees that they have changed. Called by their rows."""

import secrets
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import models

# Whether rules have changed inside `RulesVersion.touched_once`; None outside of it.
_touched = ContextVar("notifier_touched", default=None)


class RulesVersion(models.Model):
    """One row whose token changes with every change of a rule: how running processes notice one.

    A random token, not a counter: a counter that was rolled back and counted up again by somebody else
    would name two different states by one number.
    """

    token = models.BigIntegerField()

    def __str__(self):
        return str(self.token)

    @classmethod
    def touch(cls):
        """Say that the rules have changed.

        Part of the caller's transaction, so a rolled-back change says nothing.
        """
        if _touched.get() is not None:
            _touched.set(True)
            return
        cls.objects.update_or_create(pk=1, defaults={"token": secrets.randbits(63)})

    @classmethod
    @contextmanager
    def touched_once(cls):
        """Change many rules inside it, and they are read again once, at its end: each time, all of them are.

        Not for what sends events.
        """
        token = _touched.set(False)
        try:
            yield
            touched = _touched.get()
        finally:
            _touched.reset(token)
        if touched:
            cls.touch()


class RulesQuerySet(models.QuerySet):
    """A queryset whose bulk operations, which send no signals, still tell running processes."""

    def update(self, **values):
        rows = super().update(**values)
        RulesVersion.touch()
        return rows

    def bulk_create(self, objs, **options):
        rows = super().bulk_create(objs, **options)
        RulesVersion.touch()
        return rows

    def bulk_update(self, objs, fields, **options):
        rows = super().bulk_update(objs, fields, **options)
        RulesVersion.touch()
        return rows
