"""The lanes in which events and deliveries go, so that a code is not behind a sale."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Lane(models.IntegerChoices):
    """Which goes first: the lower number."""

    URGENT = 0, _("urgent")  # somebody waits for it: a code, a password reset, a warning
    NORMAL = 1, _("normal")
    BULK = 2, _("bulk")  # to very many: it may take hours

    @property
    def word(self):
        """As files of rules and code write it."""
        return self.name.lower()


# What a lane has at least, of a provider's rate and of what the sweep rings for, however many the others are.
SHARES: dict[int, float] = {Lane.URGENT: 0.5, Lane.NORMAL: 0.2, Lane.BULK: 0.1}
