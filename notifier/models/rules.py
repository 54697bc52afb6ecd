"""Triggers and subscriptions: when, and for which people. ``events.index`` keeps them in memory."""

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..channels import registry
from ..exceptions import ConditionRefused, UnreadablePath
from ..rules import condition_types, conditions, roots, signals
from ..templating import keys, readable
from .declared import Declared
from .flow import MAX_MINUTES, Flow
from .json_columns import NamesField
from .lanes import Lane
from .rules_version import RulesQuerySet


class Trigger(Declared, models.Model):
    """A rule that turns a firing of one signal into an event."""

    class On(models.TextChoices):
        ANY = "any", _("created or changed")
        CREATED = "created", _("created")
        UPDATED = "updated", _("changed")

    name = models.CharField(_("name"), max_length=100, unique=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    verb = models.CharField(_("signal"), max_length=100, help_text=_("The registered name of the signal."))
    model = models.CharField(
        _("action object"),
        max_length=200,
        blank=True,
        help_text=_("The model that the signal is about, or its sender."),
    )
    object_pk = models.CharField(
        _("one instance"),
        max_length=200,
        blank=True,
        help_text=_("The primary key of the only instance that counts."),
    )
    on = models.CharField(
        _("when saved"),
        max_length=10,
        choices=On,
        default=On.ANY,
        help_text=_("For signals about a save; others ignore it."),
    )
    condition = models.TextField(
        _("condition"),
        blank=True,
        help_text=_(
            'As in {% if %}: instance.total > 100 and instance.status == "paid". Left blank, '
            "every one counts."
        ),
    )
    shadow = models.BooleanField(
        _("shadow"), default=False, help_text=_("Record and explain what it would send, and send nothing.")
    )
    category = models.ForeignKey(
        "Category",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="triggers",
        verbose_name=_("category"),
        help_text=_("What it is about, as the people who get it choose."),
    )
    lane = models.PositiveSmallIntegerField(
        _("lane"),
        choices=Lane,
        null=True,
        blank=True,
        help_text=_(
            "What goes first when there is more than can be sent at once. Left blank, as its category has "
            "it. What goes to very many people is bulk by itself, whatever is chosen here."
        ),
    )
    actor_model = models.CharField(
        _("actor"), max_length=200, blank=True, help_text=_("The model of who did it.")
    )
    actor_pk = models.CharField(_("one actor"), max_length=200, blank=True)
    target = models.CharField(
        _("target"), max_length=200, blank=True, help_text=_("Equals the signal's `target`.")
    )
    delay_minutes = models.PositiveIntegerField(
        _("send after"), null=True, blank=True, help_text=_("So long after it happened. Left blank, at once.")
    )
    expires_minutes = models.PositiveIntegerField(
        _("expires after"),
        null=True,
        blank=True,
        help_text=_(
            "What was not sent by then is not sent any more. A code that comes too late is worse than none."
        ),
    )

    objects = RulesQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("trigger")
        verbose_name_plural = _("triggers")
        permissions = [
            ("choose_inner_signals", _("Can switch on rules about Django’s inner workings")),
        ]

    def __str__(self):
        return self.name

    @property
    def lane_of_events(self):
        """Its own lane, else its category's."""
        if self.lane is not None:
            return Lane(self.lane)
        return Lane(self.category.lane) if self.category else Lane.NORMAL

    def clean(self):
        if not self.verb:
            return  # the field's own check has said so
        registered = signals.get(self.verb)
        if registered is None:
            known = ", ".join(signals.names())
            raise ValidationError(
                {"verb": _("No signal is registered as “%s”. Known: %s.") % (self.verb, known)}
            )
        if registered.about_model and not self.model:
            # A receiver without a sender would take Django's fast path from every model's deletes.
            raise ValidationError({"model": _("The signal %s needs a model.") % self.verb})
        for label, pk, field in (
            (self.model, self.object_pk, "object_pk"),
            (self.actor_model, self.actor_pk, "actor_pk"),
        ):
            self._clean_instance(label, pk, field)
        if found := roots.not_permitted(self) or roots.never_fits(self):
            column, why = found
            raise ValidationError({column: why})
        self._clean_minutes()
        self._clean_condition()

    def _clean_minutes(self):
        for name in ("delay_minutes", "expires_minutes"):
            if (value := getattr(self, name)) is not None and not 1 <= value <= MAX_MINUTES:
                raise ValidationError(
                    {name: _("Write a number from 1 to %d, or leave it blank.") % MAX_MINUTES}
                )

    def _clean_condition(self):
        self.condition = self.condition.strip()
        if not self.condition:
            return
        try:
            condition_types.check_comparisons(conditions.check_condition(self.condition, self), self)
        except (ConditionRefused, UnreadablePath) as error:
            raise ValidationError({"condition": str(error)}) from error

    def _clean_instance(self, label, pk, field):
        label_field = "model" if field == "object_pk" else "actor_model"
        if label and readable.find_model(label) is None:
            raise ValidationError({label_field: _("There is no model “%s”. Write app_label.model.") % label})
        if pk and not label:
            raise ValidationError({field: _("A primary key needs its model.")})
        if pk:
            try:
                keys.parse_key(readable.find_model(label), pk)
            except ValidationError as error:
                raise ValidationError({field: error.messages}) from error


class Pause(models.Model):
    """A stop: all in its scope is held, and goes on when this row is gone.

    See ``notifier.gates.pauses``.

    ``scope`` is ``everything``, ``channel:<name>``, ``trigger:<id>`` or ``budget:<channel>``.
    """

    scope = models.CharField(_("what"), max_length=100, unique=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    paused_by = models.CharField(_("by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        ordering = ["scope"]
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")

    def __str__(self):
        return self.scope


class Subscription(Flow, models.Model):
    """The people who get a trigger's events, by which template and channels."""

    trigger = models.ForeignKey(
        Trigger, models.CASCADE, related_name="subscriptions", verbose_name=_("trigger")
    )
    template = models.ForeignKey(
        "Template", models.PROTECT, related_name="subscriptions", verbose_name=_("template")
    )
    channels = NamesField(_("channels"), default=list)
    audiences = models.ManyToManyField("Audience", related_name="subscriptions", verbose_name=_("audiences"))
    enabled = models.BooleanField(_("enabled"), default=True)

    objects = RulesQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")

    def __str__(self):
        return f"{self.trigger} → {self.template} → {', '.join(self.channels)}"

    def clean(self):
        known = registry.channel_names()
        if not self.channels or not isinstance(self.channels, list):
            raise ValidationError({"channels": _("Choose at least one channel.")})
        if unknown := sorted(set(self.channels) - set(known)):
            raise ValidationError(
                {
                    "channels": _("No such channel: %s. There are: %s.")
                    % (", ".join(unknown), ", ".join(known))
                }
            )
        self.clean_flow()
        if self.template_id is None or (trigger := self._trigger_if_set()) is None:
            return
        contents = [content for content in self.template.contents.all() if content.channel in self.channels]
        if missing := sorted(set(self.channels) - {content.channel for content in contents}):
            raise ValidationError(
                {
                    "template": _("The template “%s” has no content for: %s.")
                    % (self.template, ", ".join(missing))
                }
            )
        for content in contents:
            content.check_against(trigger, field="template")

    def _trigger_if_set(self):
        # In the admin's inline form the trigger may itself be new, and has no key yet.
        try:
            return self.trigger
        except ObjectDoesNotExist:
            return None
