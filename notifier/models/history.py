"""What is on record of one delivery: its earlier attempts, and what its provider said afterwards."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .outbox import Delivery


class Attempt(models.Model):
    """One attempt at a delivery that was not its last: what the provider, or the channel, said."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="history", verbose_name=_("delivery"))
    number = models.PositiveSmallIntegerField(_("attempt"))
    status = models.CharField(_("status"), max_length=20, choices=Delivery.Status)
    reason = models.CharField(_("reason"), max_length=50, blank=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    # Of one that was sent, and was then sent once more on purpose.
    provider_id = models.CharField(_("provider id"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("when"))

    class Meta:
        ordering = ["pk"]
        default_permissions = ()

    def __str__(self):
        return f"{self.delivery} attempt {self.number}: {self.status}"


class Feedback(models.Model):
    """A provider's word about a delivery after it had taken it. Written by ``notifier.feedback``."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", _("delivered")  # the other side has it
        DELAYED = "delayed", _("delayed")  # the provider goes on trying
        # Returned: see `detail`; only a permanent one suppresses the address
        BOUNCED = "bounced", _("bounced")
        COMPLAINED = "complained", _("complained")  # called spam
        REFUSED = "refused", _("refused")  # the provider took it and did not send it
        OPENED = "opened", _("opened")
        CLICKED = "clicked", _("clicked")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")

    delivery = models.ForeignKey(
        Delivery, models.CASCADE, related_name="feedback", verbose_name=_("delivery")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    # Of a bounce, that trying again is of no use; of a complaint, that a person made it.
    permanent = models.BooleanField(_("permanent"), default=False)
    # Which sending it is about, as the provider calls it: a delivery can be sent once more on purpose.
    message_id = models.CharField(max_length=200, blank=True)
    happened_at = models.DateTimeField(_("when"))
    # What makes the same report the same, however often it comes.
    key = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ["happened_at", "pk"]
        default_permissions = ()

    def __str__(self):
        return f"{self.delivery} {self.kind}"
