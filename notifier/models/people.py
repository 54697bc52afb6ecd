"""Recipients: audiences and contact points. ``rules.audiences`` turns them into pages of people."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..exceptions import UnreadablePath
from ..rules import audiences, offers
from .declared import Declared
from .rules_version import RulesQuerySet


class Audience(Declared, models.Model):
    """The people who receive. Its sources are united, and a person in several of them counts once."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    everyone = models.BooleanField(_("all active users"), default=False)
    users = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name=_("users")
    )
    groups = models.ManyToManyField("auth.Group", blank=True, related_name="+", verbose_name=_("groups"))
    paths = models.TextField(
        _("paths on the event"),
        blank=True,
        help_text=_(
            "One a line: a person or people that the event names, such as instance.owner or movie.audiences, "
            "or a field that holds an address, such as instance.contact_email. “email: "
            "instance.contact_email” is for that channel only."
        ),
    )
    callables = models.JSONField(_("functions"), default=list, blank=True)
    addresses = models.TextField(
        _("plain addresses"), blank=True, help_text=_("One a line, after its channel: email: ops@example.com")
    )

    objects = RulesQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")

    def __str__(self):
        return self.name

    def clean(self):
        problems = {}
        for field, parse in ("paths", audiences.parse_path), ("addresses", audiences.parse_address):
            lines = audiences.lines_of(getattr(self, field))
            problems[field] = [problem for line in lines if (problem := _problem(parse, line))]
        registered = audiences.callable_names()
        if unknown := sorted(set(self.callables) - set(registered)):
            problems["callables"] = [_("Not registered: %s.") % ", ".join(unknown)]
        if not problems["paths"] and self.pk:
            for subscription in self.subscriptions.select_related("trigger"):
                problems["paths"] += self.problems_with(subscription.trigger)
        if found := {field: texts for field, texts in problems.items() if texts}:
            raise ValidationError(found)

    def problems_with(self, trigger):
        """The names that its paths read and the events of ``trigger`` cannot give, as texts."""
        return [
            problem for line in audiences.lines_of(self.paths) if (problem := _path_problem(line, trigger))
        ]


def _problem(parse, line):
    try:
        parse(line)
    except ValueError as error:
        return str(error)


def _path_problem(line, trigger):
    _channel, path = audiences.parse_path(line)
    if path.split(".")[0] == "user":
        return _("“%s”: “user” is who receives it, which the event does not know.") % path
    try:
        offers.check_audience_path(path, trigger)
    except UnreadablePath as error:
        return str(error)


class ContactPoint(models.Model):
    """An address of one person on one channel.

    It comes before the address that the settings find on the user.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user")
    )
    channel = models.CharField(_("channel"), max_length=50)
    address = models.CharField(_("address"), max_length=320)
    verified = models.BooleanField(
        _("verified"), default=True, help_text=_("An address that is not verified gets nothing.")
    )

    class Meta:
        ordering = ["pk"]
        verbose_name = _("contact point")
        verbose_name_plural = _("contact points")
        constraints = [
            models.UniqueConstraint(fields=["user", "channel"], name="notifier_one_contact_point_a_channel")
        ]

    def __str__(self):
        # Without the person: the log keeps it, and pages show it to who may not see whose it is.
        return f"#{self.pk} {self.channel}"
