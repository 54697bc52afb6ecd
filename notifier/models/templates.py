"""What: templates, one content a channel, every saved version kept. Next hop: ``notifier.contents`` compiles a version once."""

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from .. import contents, readable
from ..exceptions import TemplateRefused, UnreadablePath
from .rules import RulesQuerySet


class Template(models.Model):
    """What is said, on any channel."""

    name = models.SlugField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    # Names of registered functions that add variables; see `notifier.providers`.
    providers = models.JSONField(_("context providers"), default=list, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("template")
        verbose_name_plural = _("templates")

    def __str__(self):
        return self.name


class TemplateContent(models.Model):
    """A template on one channel, as it is edited. Saving a change adds a version; versions never change."""

    template = models.ForeignKey(Template, models.CASCADE, related_name="contents", verbose_name=_("template"))
    channel = models.CharField(_("channel"), max_length=50)
    language = models.CharField(_("language"), max_length=20, blank=True, help_text=_("Left blank, it is for any language."))
    # A template file of the project, instead of the parts below.
    file = models.CharField(_("file"), max_length=200, blank=True)
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    text = models.TextField(_("text"), blank=True, help_text=_("Left blank, it is made from the HTML."))
    html = models.TextField(_("HTML"), blank=True)
    version = models.ForeignKey("ContentVersion", models.RESTRICT, null=True, editable=False, related_name="+")

    objects = RulesQuerySet.as_manager()

    class Meta:
        ordering = ["channel", "language"]
        verbose_name = _("content")
        verbose_name_plural = _("contents")
        constraints = [
            models.UniqueConstraint(fields=["template", "channel", "language"], name="notifier_one_content_a_language")
        ]

    def __str__(self):
        return f"{self.template} · {self.channel}"

    @transaction.atomic
    def save(self, *, author="", note="", **options):
        """Save, and add a version if a part has changed. Raises TemplateRefused where a part does not compile."""
        parts = self.compile()
        super().save(**options)
        if self.version is None or self.version.parts() != (self.subject, self.text, self.html):
            number = self.version.number + 1 if self.version else 1
            self.version = ContentVersion.objects.create(
                content=self, number=number, subject=self.subject, text=self.text, html=self.html,
                text_from_html=contents.text_template(self.text, self.html), paths=parts.paths,
                author=author[:150], note=note[:200],
            )  # fmt: skip
            super().save(update_fields=["version"])

    def sources(self):
        """``(subject, text, html)`` as they are edited."""
        return self.subject, self.text, self.html

    def compile(self):
        """The CompiledContent of what would be saved. Raises TemplateRefused."""
        return contents.compile_content(*self.sources())

    def clean(self):
        if not self.text.strip() and not self.html.strip():
            raise ValidationError({"text": _("Write a text or an HTML body.")})
        try:
            contents.compile_content(self.subject, self.text, self.html)
        except TemplateRefused as error:
            raise ValidationError({error.part or "text": str(error)}) from error
        if self.template_id is None:
            return
        for subscription in self.template.subscriptions.select_related("trigger"):
            if self.channel in subscription.channels:
                self.check_against(subscription.trigger)

    def check_against(self, trigger, *, field=None, compiled=None):
        """Raise ValidationError when a part names what ``trigger``'s events cannot give, on ``field`` or on that part's own."""
        for part, source in ("subject", self.subject), ("text", self.text), ("html", self.html):
            try:
                readable.check_paths(contents.compile_part(source, html=part == "html").paths, trigger)
            except (TemplateRefused, UnreadablePath) as error:
                text = f"{self.channel}, {part}: {error}" if field else str(error)
                raise ValidationError({field or part: text}) from error


class ContentVersion(models.Model):
    """A content as it was at one time: what an event was frozen for and a delivery is rendered from."""

    # Null for a draft that somebody sent to themselves: it is no version of anything.
    content = models.ForeignKey(TemplateContent, models.CASCADE, null=True, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    subject = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    # The template of the text part, made from the HTML's source; null where each rendered HTML must be converted.
    text_from_html = models.TextField(null=True)
    # The HTML with its layout, as it is compiled; null where it is the HTML itself.
    whole_html = models.TextField(null=True)
    paths = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    # Who made it, and what else there is to say: "Version 3 again.", "The layout has changed."
    author = models.CharField(_("by"), max_length=150, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["content", "number"], name="notifier_version_numbers_are_unique")]

    def __str__(self):
        return f"{self.content} v{self.number}" if self.content_id else f"test {self.pk}"

    def parts(self):
        return self.subject, self.text, self.html
