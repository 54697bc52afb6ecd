"""Wishes of people, and addresses that can take nothing more. Read by ``gates`` before anything is sent."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from ..templating import languages
from .lanes import Lane
from .rules_version import RulesQuerySet


class Category(models.Model):
    """The kind of a notification, as the people who get it choose: news, orders, security."""

    name = models.SlugField(_("name"), max_length=50, unique=True)
    title = models.CharField(_("title"), max_length=100, help_text=_("As people read it where they choose."))
    description = models.CharField(_("description"), max_length=200, blank=True)
    mandatory = models.BooleanField(
        _("mandatory"),
        default=False,
        help_text=_("Nobody can opt out of it, and it waits for no quiet hours: security, receipts."),
    )
    lane = models.PositiveSmallIntegerField(
        _("lane"),
        choices=Lane,
        default=Lane.NORMAL,
        db_default=Lane.NORMAL,
        help_text=_(
            "What goes first when there is more than can be sent at once. Urgent is what somebody waits "
            "for: a code, a new password, a warning. Bulk may take hours. What goes to very many people is "
            "bulk by itself, whatever is chosen here."
        ),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = RulesQuerySet.as_manager()

    class Meta:
        ordering = ["position", "title"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self):
        return self.title


class Preferences(models.Model):
    """One person's wishes about how to be reached. Without a row, as the site does it."""

    class Digest(models.TextChoices):
        AT_ONCE = "", _("at once")
        HOURLY = "hourly", _("once an hour")
        DAILY = "daily", _("once a day")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user")
    )
    language = models.CharField(_("language"), max_length=20, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=50, blank=True)
    # Wall-clock times in the person's time zone; from 22:00 until 07:00 goes over midnight. Both or none.
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    digest = models.CharField(_("digest"), max_length=10, blank=True, choices=Digest, default=Digest.AT_ONCE)

    class Meta:
        verbose_name = _("preferences")
        verbose_name_plural = _("preferences")

    def __str__(self):
        return f"{self.user}"

    def clean(self):
        if (self.quiet_from is None) != (self.quiet_until is None):
            missing = "quiet_until" if self.quiet_until is None else "quiet_from"
            raise ValidationError({missing: _("Quiet hours need both times, or none.")})
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise ValidationError(
                {"quiet_until": _("Quiet hours that end when they begin would never be, or never end.")}
            )
        if self.time_zone and not languages.zone_name(self.time_zone):
            text = _("There is no time zone “%s”. Write one as Europe/Berlin.")
            raise ValidationError({"time_zone": text % self.time_zone})


class OptOut(models.Model):
    """One person's no to a category on a channel.

    Without a category or a channel it is of all of them, but for mandatory ones.
    """

    class Source(models.TextChoices):
        MAIL = "mail", _("the mail program’s button")  # RFC 8058: one click, no page
        LINK = "link", _("the link in a message")
        PAGE = "page", _("the page of preferences")
        ADMIN = "admin", _("an administrator")

    # As a delivery has it: "user:<primary key>" or "address:<address>".
    recipient = models.CharField(_("recipient"), max_length=330)
    category = models.ForeignKey(
        Category, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("category")
    )
    channel = models.CharField(_("channel"), max_length=50, blank=True)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    source = models.CharField(_("by"), max_length=20, blank=True, choices=Source)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("opt-out")
        verbose_name_plural = _("opt-outs")
        constraints = [
            # Not `nulls_distinct`, which SQLite does not have: there, everything could be opted out of twice.
            models.UniqueConstraint(
                "recipient",
                Coalesce("category", 0, output_field=models.BigIntegerField()),
                "channel",
                name="notifier_one_opt_out_a_choice",
            )
        ]

    def __str__(self):
        return f"{self.category or _('everything')} · {self.channel or _('every channel')}"


class Suppression(models.Model):
    """An address that must get nothing more: its provider has said so, or a person has."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", _("bounced")  # permanently: there is no such address
        COMPLAINED = "complained", _("complained")  # its owner called a message spam
        OPTED_OUT = "opted_out", _("opted out")  # at the provider: answered STOP
        GONE = "gone", _("gone")  # the endpoint or the device is not there any more
        BY_HAND = "by_hand", _("by hand")

    channel = models.CharField(_("channel"), max_length=50)
    # As `channels.recipient.normalise` writes addresses, so that two spellings of one are one.
    address = models.CharField(_("address"), max_length=320)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, default=Reason.BY_HAND)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints = [
            models.UniqueConstraint(fields=["channel", "address"], name="notifier_one_suppression_an_address")
        ]

    def __str__(self):
        return f"{self.channel} · {self.reason}"
