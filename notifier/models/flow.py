"""The flow of a subscription: how much it sends, when and in which order. Read by ``deliveries.flow``."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..channels import registry

# Longer is a typing error; an allowance and what waits are kept for as long.
MAX_MINUTES = 366 * 24 * 60
MAX_NUMBER = 10_000


class Flow(models.Model):
    """The fields of a subscription beside when, what and for which people.

    Everything left blank, it sends everything at once on all channels.
    """

    class Order(models.TextChoices):
        ALL = "all", _("on all channels")
        FIRST = "first", _("on the first channel that succeeds")
        INBOX_FIRST = "inbox_first", _("to the inbox; on the others if it is unread after a time")

    order = models.CharField(
        _("send"),
        max_length=20,
        choices=Order,
        default=Order.ALL,
        help_text=_(
            "“The first that succeeds” goes by the order of the channels above: the next one "
            "only if the one before failed."
        ),
    )
    wait_minutes = models.PositiveIntegerField(
        _("wait"),
        null=True,
        blank=True,
        help_text=_(
            "Inbox first: how long it may stay unread (left blank, an hour). "
            "First that succeeds: how long it may still come back (left blank, a day)."
        ),
    )
    throttle_number = models.PositiveIntegerField(
        _("at most"),
        null=True,
        blank=True,
        help_text=_("So many for one person in the time below. What is beyond is not sent."),
    )
    throttle_minutes = models.PositiveIntegerField(_("in"), null=True, blank=True)
    cooldown_minutes = models.PositiveIntegerField(
        _("not again for"),
        null=True,
        blank=True,
        help_text=_(
            "The same person hears of the same object no more for so long. What comes in that "
            "time is not sent."
        ),
    )
    digest_minutes = models.PositiveIntegerField(
        _("together every"),
        null=True,
        blank=True,
        help_text=_(
            "What comes in this time goes to a person as one message: {% for event in events "
            "%} in the template lists it. "
            "The inbox gets each at once."
        ),
    )

    class Meta:
        abstract = True

    def clean_flow(self):
        """Raise ValidationError where what is said here cannot be done."""
        errors = {}
        for name in (
            "wait_minutes",
            "throttle_number",
            "throttle_minutes",
            "cooldown_minutes",
            "digest_minutes",
        ):
            value, most = getattr(self, name), MAX_NUMBER if name.endswith("number") else MAX_MINUTES
            if value is not None and not 1 <= value <= most:
                errors[name] = _("Write a number from 1 to %d, or leave it blank.") % most
        if (self.throttle_number is None) != (self.throttle_minutes is None):
            missing = "throttle_number" if self.throttle_number is None else "throttle_minutes"
            errors[missing] = _("Say both: how many, and in what time. Or leave both blank.")
        if self.order == self.Order.INBOX_FIRST and not self._has_an_inbox_and_another():
            names = [name for name in registry.channel_names() if registry.is_read_in_the_site(name)]
            errors["order"] = _("Inbox first needs the channel “%s” and another one.") % "”, “".join(names)
        if errors:
            raise ValidationError(errors)

    def _has_an_inbox_and_another(self):
        names = set(self.channels)
        return len(names) > 1 and any(map(registry.is_read_in_the_site, names))


class Allowance(models.Model):
    """The number that one person has had of a subscription in a period that is running.

    Written by ``notifier.deliveries.allowances``.

    ``about`` is the object of a cooldown, or blank for the throttle.
    """

    subscription_id = models.BigIntegerField()
    recipient = models.CharField(max_length=330)
    about = models.CharField(max_length=300, blank=True)
    number = models.PositiveIntegerField()
    # The period ends; the row counts no more, and the sweep takes it away.
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["subscription_id", "recipient", "about"], name="notifier_one_allowance_a_person"
            )
        ]

    def __str__(self):
        return f"{self.subscription_id}: {self.number} until {self.ends_at}"
