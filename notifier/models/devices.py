"""Phones and tablets that people signed in on. Written by ``people.devices``, read by ``lambdas.push``."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Device(models.Model):
    """One installation of the app. Its token belongs to the person who signed in on it last."""

    class Platform(models.TextChoices):
        FCM = "fcm", _("Android, by Firebase")
        APNS = "apns", _("iOS")
        APNS_SANDBOX = "apns_sandbox", _("iOS, under development")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user")
    )
    platform = models.CharField(_("platform"), max_length=20, choices=Platform)
    # As the platform gave it to the app. Neither of them says how long it can be; today's have at most 200
    # characters.
    token = models.CharField(_("token"), max_length=1000)
    # What SNS calls it; blank until something is sent to it.
    endpoint_arn = models.CharField(_("SNS endpoint"), max_length=300, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [
            models.UniqueConstraint(fields=["platform", "token"], name="notifier_one_device_a_token")
        ]

    def __str__(self):
        # Without the person: not everybody who sees devices may see whose they are.
        return f"{self.get_platform_display()} #{self.pk}"


class DevicePush(models.Model):
    """A device that has taken a delivery of which another device is still to be tried: it does not get it
    again.
    """

    # No constraint, as deliveries may go first.
    delivery = models.BigIntegerField()
    device = models.ForeignKey(Device, models.CASCADE, related_name="+")
    provider_id = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["delivery", "device"], name="notifier_one_push_a_device")
        ]

    def __str__(self):
        return f"{self.delivery} · {self.device_id}"
