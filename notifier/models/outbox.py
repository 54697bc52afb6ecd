"""What happened: events and deliveries, the truth that messages only ring for.

Written by ``notifier.events``, ``notifier.fanout`` and ``notifier.deliveries``.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .. import snapshot


class Event(models.Model):
    """One firing that matched one trigger, with the data its templates and audiences read, frozen."""

    class Status(models.TextChoices):
        RECORDED = "recorded", _("recorded")  # waits for the fan-out
        FANNING_OUT = "fanning_out", _("fanning out")  # a function works on it, until `due_at` at the latest
        DONE = "done", _("fanned out")  # all its deliveries exist
        FAILED = "failed", _("failed")  # cannot be fanned out; `reason` says why

    # No constraint: a trigger can be deleted, and what it sent stays on record.
    trigger = models.ForeignKey("Trigger", models.DO_NOTHING, db_constraint=False, verbose_name=_("trigger"))
    verb = models.CharField(_("signal"), max_length=100)
    action_object = models.CharField(_("action object"), max_length=300, blank=True)
    data = models.JSONField(_("data"), encoder=snapshot.Encoder, decoder=snapshot.Decoder)
    # What was to be sent when it happened: [{"subscription": id, "contents": {channel: content version id}}, …]
    plan = models.JSONField(default=list)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.RECORDED)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    # Where the fan-out stands: {"step": index in the plan, "after": the last user's primary key}
    cursor = models.JSONField(default=dict)
    claim = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(_("created"))
    # When the sweep looks at it again; null once done.
    due_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="notifier_event_due"),
        ]

    def __str__(self):
        return f"#{self.pk} {self.verb} {self.action_object}"


class Delivery(models.Model):
    """One event × subscription × channel × recipient: the unit of work, of idempotency and of status."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")  # a message is on its way; the sweep rings again at `due_at`
        WAITING = "waiting", _("waiting")  # until `due_at`: the provider asked for a later time
        CLAIMED = "claimed", _("claimed")  # a function holds it, until `due_at` at the latest
        SENDING = "sending", _("sending")  # the provider is being called, on a channel that must not repeat itself
        SENT = "sent", _("sent")  # the provider took it
        SKIPPED = "skipped", _("skipped")  # nobody's failure: no address, an unusable one, opted out
        FAILED = "failed", _("failed")  # ours (template, configuration) or the provider's refusal: see `reason`
        UNKNOWN = "unknown", _("unknown")  # a crash or a time-out hid the provider's answer; a person decides

    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries", db_index=False, verbose_name=_("event"))
    subscription = models.ForeignKey("Subscription", models.DO_NOTHING, db_constraint=False, db_index=False)
    version = models.ForeignKey("ContentVersion", models.DO_NOTHING, db_constraint=False, db_index=False)
    channel = models.CharField(_("channel"), max_length=50)
    # "user:<primary key>" or "address:<address>". No foreign key: deleting a user must not search this table.
    recipient = models.CharField(_("recipient"), max_length=330)
    address = models.CharField(_("address"), max_length=320, blank=True)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.QUEUED)
    reason = models.CharField(_("reason"), max_length=50, blank=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    provider_id = models.CharField(_("provider id"), max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    claim = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    # When the sweep looks at it again; null once final.
    due_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        permissions = [("retry_delivery", _("Can retry deliveries"))]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "subscription", "channel", "recipient"], name="notifier_one_delivery_a_recipient"
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="notifier_delivery_due"),
            # What a person looks for, among millions that went well; it costs those nothing.
            models.Index(
                fields=["status", "-id"], condition=models.Q(status__in=["failed", "unknown"]), name="notifier_delivery_amiss"
            ),
        ]

    def __str__(self):
        return f"#{self.pk} {self.channel}"


class Canary(models.Model):
    """How far one canary came on one route; see ``notifier.canary``. Rows older than a day are removed by the next one."""

    route = models.CharField(max_length=50)
    released_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"#{self.pk} {self.route}"

    def seconds(self):
        """Seconds from its release to its arrival, or None."""
        return (self.arrived_at - self.released_at).total_seconds() if self.arrived_at else None
