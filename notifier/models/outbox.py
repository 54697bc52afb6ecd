"""The outbox: events and deliveries, the truth that messages only ring for.

Written by ``notifier.events.storing``, ``notifier.deliveries.fanout`` and ``notifier.deliveries``.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..templating import snapshot
from .json_columns import LinksField
from .lanes import Lane

# The trigger and the subscription of what an editor sends to themselves; see `deliveries.test_sends`.
OF_NO_RULE = 0
# What the address of a recipient begins with once only a number is left of it; see
# `notifier.operations.retention`.
NAMELESS = "#"


class Event(models.Model):
    """One firing that matched one trigger, with the data its templates and audiences read, frozen."""

    class Status(models.TextChoices):
        RECORDED = "recorded", _("recorded")  # waits for the fan-out
        FANNING_OUT = "fanning_out", _("fanning out")  # a function works on it, until `due_at` at the latest
        DONE = "done", _("fanned out")  # all its deliveries exist
        FAILED = "failed", _("failed")  # cannot be fanned out; `reason` says why
        HELD = "held", _("held")  # its trigger, or everything, is paused; it goes on when that ends
        SHADOW = "shadow", _("shadow")  # of a trigger that only shows what it would send
        VETOED = "vetoed", _("vetoed")  # a signal middleware refused it; `reason` says why
        CANCELLED = "cancelled", _("cancelled")  # a person took it back before all its deliveries existed

    # No constraint: a trigger can be deleted, and what it sent stays on record.
    trigger = models.ForeignKey("Trigger", models.DO_NOTHING, db_constraint=False, verbose_name=_("trigger"))
    verb = models.CharField(_("signal"), max_length=100)
    action_object = models.CharField(_("action object"), max_length=300, blank=True)
    # Who did it: "auth.user:5", or blank.
    actor = models.CharField(_("actor"), max_length=300, blank=True)
    # What its trigger was about when it happened.
    category = models.ForeignKey(
        "Category", models.DO_NOTHING, null=True, db_constraint=False, db_index=False
    )
    # Of one that was caused by another's sending or fan-out: the keys of each event of the chain and of its
    # trigger, the first of all first; see `notifier.events.causes`.
    causes = LinksField(null=True)
    # Given by the caller of `emit`: the same key again is the same event.
    key = models.CharField(_("idempotency key"), max_length=200, null=True)
    # What matching said of this firing's triggers: a list of `events.matching.Explained`.
    explanation = models.JSONField(default=list)
    data = models.JSONField(_("data"), encoder=snapshot.Encoder, decoder=snapshot.Decoder)
    # Paths that its templates read and that led nowhere, or null: see `templating.dead_ends`.
    dead_ends = models.JSONField(null=True)
    # What was to be sent when it happened: a `rules.plans.Plan`.
    plan = models.JSONField(default=list)
    lane = models.PositiveSmallIntegerField(
        _("lane"), choices=Lane, default=Lane.NORMAL, db_default=Lane.NORMAL
    )
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.RECORDED)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    # Where the fan-out stands: {"step": index in the plan, "after": the last user's primary key}; see also
    # `deliveries.fanout`, note [cut off].
    cursor = models.JSONField(default=dict)
    claim = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(_("created"))
    # When a pause last let it go on: it is tried for as long again.
    restarted_at = models.DateTimeField(null=True)
    # Before this nothing of it is sent: a time that was asked for, or its trigger's delay. Null is at once.
    starts_at = models.DateTimeField(_("scheduled for"), null=True)
    # After this nothing of it is sent any more.
    expires_at = models.DateTimeField(_("expires"), null=True)
    # When what it said and the addresses were removed; see `notifier.operations.retention`.
    emptied_at = models.DateTimeField(_("emptied"), null=True)
    # When the sweep looks at it again; null once done.
    due_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["trigger", "key"], name="notifier_one_event_a_key")]
        indexes = [
            models.Index(
                fields=["lane", "due_at"],
                condition=models.Q(due_at__isnull=False),
                name="notifier_event_due_by_lane",
            ),
            models.Index(fields=["created_at"], name="notifier_event_created"),
            models.Index(fields=["id"], condition=models.Q(status="held"), name="notifier_event_held"),
            # Those that still say something, the oldest first.
            models.Index(
                fields=["created_at"], condition=models.Q(emptied_at__isnull=True), name="notifier_event_full"
            ),
        ]

    def __str__(self):
        return f"#{self.pk} {self.verb} {self.action_object}"

    @property
    def is_test(self):
        return self.trigger_id == OF_NO_RULE


# The statuses that few deliveries have for long: each list of them has an index, which a delivery that is
# sent at once never enters.
ENDED_OTHERWISE = models.Q(
    status__in=["cancelled", "failed", "held", "sending", "skipped", "standby", "unknown", "waiting"]
)


class Delivery(models.Model):
    """One event × subscription × channel × recipient: the unit of work, of idempotency and of status."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")  # a message is on its way; the sweep rings again at `due_at`
        # Until `due_at`: the provider asked for a later time, or we chose one
        WAITING = "waiting", _("waiting")
        STANDBY = "standby", _("standing by")  # goes only if the channel before it does not succeed
        CLAIMED = "claimed", _("claimed")  # a function holds it, until `due_at` at the latest
        # The provider is being called, on a channel that must not repeat itself
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")  # the provider took it
        SKIPPED = "skipped", _("skipped")  # nobody's failure: no address, an unusable one, opted out
        # Ours (template, configuration) or the provider's refusal: see `reason`
        FAILED = "failed", _("failed")
        # Its channel, its trigger or everything is paused; it goes on when that ends
        HELD = "held", _("held")
        CANCELLED = "cancelled", _("cancelled")  # a person took it back before it was sent
        UNKNOWN = "unknown", _("unknown")  # a crash or a time-out hid the provider's answer; a person decides

    event = models.ForeignKey(
        Event, models.CASCADE, related_name="deliveries", db_index=False, verbose_name=_("event")
    )
    subscription = models.ForeignKey("Subscription", models.DO_NOTHING, db_constraint=False, db_index=False)
    version = models.ForeignKey("ContentVersion", models.DO_NOTHING, db_constraint=False, db_index=False)
    channel = models.CharField(_("channel"), max_length=50)
    # "user:<primary key>" or "address:<address>". No foreign key: deleting a user must not search this table.
    recipient = models.CharField(_("recipient"), max_length=330)
    address = models.CharField(_("address"), max_length=320, blank=True)
    # What it is rendered in; blank is the site's.
    language = models.CharField(_("language"), max_length=20, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=50, blank=True)
    # Its event's, as it was when this page of its people was written.
    lane = models.PositiveSmallIntegerField(
        _("lane"), choices=Lane, default=Lane.NORMAL, db_default=Lane.NORMAL
    )
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.QUEUED)
    reason = models.CharField(_("reason"), max_length=50, blank=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    provider_id = models.CharField(_("provider id"), max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # About what its provider asks for it, in millionths of a US dollar.
    cost_micros = models.BigIntegerField(_("cost"), default=0)
    # What its provider said afterwards that undoes the sending: "bounced", "complained" or "refused", as
    # `Feedback` has it; else blank.
    returned = models.CharField(_("came back"), max_length=20, blank=True)
    claim = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(_("created"))
    # When a pause, or a person, last let it go on: it is tried for as long again.
    restarted_at = models.DateTimeField(null=True)
    # The end of a wait that somebody chose, such as quiet hours: from then on it was to be sent. Null is its
    # event's time.
    wanted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    # Where the order of the channels counts: the channel before it, and the one that stands by for it.
    follows = models.CharField(max_length=50, blank=True)
    followed_by = models.CharField(max_length=50, blank=True)
    # It goes in one message with others of the same subscription, recipient and channel.
    digest = models.BooleanField(_("in a digest"), default=False)
    # Its event's.
    expires_at = models.DateTimeField(null=True)
    # When the sweep looks at it again; null once final.
    due_at = models.DateTimeField(null=True)

    # As a gate asks it of what is claimed; the fan-out has just read where its people are.
    unreachable = ""

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        permissions = [
            ("retry_delivery", _("Can retry, cancel and resend deliveries")),
            ("view_recipients", _("Can see who receives, and their addresses")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "subscription", "channel", "recipient"],
                name="notifier_one_delivery_a_recipient",
            )
        ]
        indexes = [
            # What the sweep takes, the urgent first.
            models.Index(
                fields=["lane", "due_at"],
                condition=models.Q(due_at__isnull=False),
                name="notifier_delivery_due_by_lane",
            ),
            # What a person looks for, among millions that went well; it costs those nothing.
            models.Index(fields=["status", "-id"], condition=ENDED_OTHERWISE, name="notifier_delivery_amiss"),
            # As well for one event, however many deliveries it has.
            models.Index(
                fields=["event", "-id"],
                condition=models.Q(status__in=["failed", "unknown"]),
                name="notifier_delivery_event_amiss",
            ),
            models.Index(
                fields=["reason", "-id"], condition=~models.Q(reason=""), name="notifier_delivery_reason"
            ),
            # One channel's list, and what of it waits, the oldest first.
            models.Index(fields=["channel", "status", "id"], name="notifier_delivery_channel"),
            # Where a day begins. Rows of one fan-out share the time, so they share an entry.
            models.Index(fields=["created_at"], name="notifier_delivery_created"),
            # What happened to one person.
            models.Index(fields=["recipient", "-id"], name="notifier_delivery_recipient"),
            # What the hourly counts are made from.
            models.Index(
                fields=["finished_at"],
                condition=models.Q(finished_at__isnull=False),
                name="notifier_delivery_finished",
            ),
            models.Index(
                fields=["channel", "id"], condition=models.Q(status="held"), name="notifier_delivery_held"
            ),
            # What goes together.
            models.Index(
                fields=["subscription", "recipient", "channel", "id"],
                condition=models.Q(digest=True, status__in=["claimed", "queued", "waiting"]),
                name="notifier_delivery_digest",
            ),
            # Few of those that were sent.
            models.Index(
                fields=["returned", "-id"],
                condition=~models.Q(returned=""),
                name="notifier_delivery_returned",
            ),
        ]

    def __str__(self):
        return f"#{self.pk} {self.channel}"

    @property
    def is_test(self):
        return self.subscription_id == OF_NO_RULE

    @property
    def is_expired(self):
        return self.expires_at is not None and self.expires_at <= timezone.now()
