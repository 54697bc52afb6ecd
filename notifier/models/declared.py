"""Rows that code declares. ``rulefiles.declared`` writes them after a migration; the admin shows them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Declared(models.Model):
    """A row that may be declared in code, by ``notify_on``, under its name.

    While it is, code is where it is changed. Blank, it is a person's: that a row of this name is a person's
    is what takes a declaration over.
    """

    class Kept(models.TextChoices):
        CODE = "code", _("declared in code")
        # The code says it no more. If it does again, the row is what it was: on, or switched off by a person.
        RETIRED = "retired", _("no longer in code")
        RETIRED_OFF = "retired_off", _("no longer in code, and it was off")

    # A default of the database's: the release before this one goes on adding rows while this is deployed.
    declared = models.CharField(
        _("where it is kept"),
        max_length=20,
        choices=Kept,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )

    class Meta:
        abstract = True

    @property
    def is_in_code(self):
        """Whether code decides what it says."""
        return self.declared == self.Kept.CODE

    @property
    def is_retired(self):
        return self.declared in (self.Kept.RETIRED, self.Kept.RETIRED_OFF)
