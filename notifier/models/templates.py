"""Templates: what is said, one content a channel, every saved version kept. Calls ``templating.contents``."""

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from ..exceptions import TemplateRefused, UnreadablePath
from ..rules import layout_dependents, offers, providers
from ..templating import contents, files, languages, layouts
from .declared import Declared
from .json_columns import NamesField
from .rules_version import RulesQuerySet
from .versions import ContentVersion

# Two versions that are the same in these are one.
COLUMNS_OF_PARTS = (*contents.PARTS, "whole_text", "whole_html")


class Template(Declared, models.Model):
    """A text for people, on any channel."""

    name = models.SlugField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    # Names of registered functions that add variables; see `notifier.rules.providers`.
    providers = NamesField(_("context providers"), default=list, blank=True)

    objects = RulesQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("template")
        verbose_name_plural = _("templates")

    def __str__(self):
        return self.name

    def save(self, **options):
        """Save. TemplateRefused where others extend it by the name that it had."""
        self._check_name()
        super().save(**options)

    def clean(self):
        try:
            self._check_name()
        except TemplateRefused as error:
            raise ValidationError({"name": str(error)}) from error
        try:
            providers.check_names(self.providers)
        except ValueError as error:
            raise ValidationError({"providers": str(error)}) from error
        for subscription in self.subscriptions.select_related("trigger") if self.pk else ():
            try:
                offers.check_providers(self.providers, subscription.trigger)
            except UnreadablePath as error:
                raise ValidationError({"providers": str(error)}) from error

    def _check_name(self):
        extended = (
            TemplateContent.objects.filter(layout=self.pk) if self.pk else TemplateContent.objects.none()
        )
        if not extended.exclude(layout__name=self.name).exists():
            return
        names = ", ".join(
            f"“{name}”" for name in sorted(set(extended.values_list("template__name", flat=True)))
        )
        old = extended.values_list("layout__name", flat=True)[0]
        raise TemplateRefused(
            f"{names} extend this template by its name, “{old}”. Keep the name, or change those first."
        )


class TemplateContent(models.Model):
    """A template on one channel, as it is edited. Saving a change adds a version; versions never change."""

    template = models.ForeignKey(
        Template, models.CASCADE, related_name="contents", verbose_name=_("template")
    )
    channel = models.CharField(_("channel"), max_length=50)
    language = models.CharField(
        _("language"), max_length=20, blank=True, help_text=_("Left blank, it is for any language.")
    )
    file = models.CharField(
        _("file"),
        max_length=200,
        blank=True,
        help_text=_("A template file of the project, instead of a text and an HTML."),
    )
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    text = models.TextField(_("text"), blank=True, help_text=_("Left blank, it is made from the HTML."))
    html = models.TextField(_("HTML"), blank=True)
    link = models.CharField(
        _("link"), max_length=500, blank=True,
        help_text=_("Where it leads: a path of this site, or an http or https address."),
    )  # fmt: skip
    icon = models.CharField(
        _("icon"),
        max_length=200,
        blank=True,
        help_text=_("A sign such as 📦, or the address of a small picture."),
    )
    # The template that it extends, known from its source at save: a layout that is used cannot be deleted.
    layout = models.ForeignKey(
        Template, models.RESTRICT, null=True, editable=False, related_name="extended_by"
    )
    version = models.ForeignKey(
        "ContentVersion", models.RESTRICT, null=True, editable=False, related_name="+"
    )

    objects = RulesQuerySet.as_manager()

    own_book: layouts.Book | None = None  # in place of all layouts, for who may not see these

    class Meta:
        ordering = ["channel", "language"]
        verbose_name = _("content")
        verbose_name_plural = _("contents")
        constraints = [
            models.UniqueConstraint(
                fields=["template", "channel", "language"], name="notifier_one_content_a_language"
            )
        ]

    def __str__(self):
        return " · ".join(filter(None, [str(self.template), self.channel, self.language]))

    @transaction.atomic
    def save(self, *, author="", note="", **options):
        """Save, and add a version if a part has changed; so do those that extend it.

        Raises TemplateRefused where a part does not compile, or one that extends it does not any more.
        """
        compiled = self.compile()
        self.layout_id = compiled.layout
        super().save(**options)
        if self.add_version(compiled, author=author, note=note):
            layout_dependents.renew(self, author)

    @transaction.atomic
    def delete(self, **options):
        """Delete. TemplateRefused where one that extends it has no other language of it to extend."""
        deleted = super().delete(**options)
        layout_dependents.renew(self)
        return deleted

    def sources(self):
        """The texts of ``templating.contents.PARTS``, as they are edited, or as the file is now.

        TemplateRefused where it cannot be read.
        """
        text, html = files.read_parts(self.file) if self.file else (self.text, self.html)
        return self.subject, text, html, self.link, self.icon

    def book(self, replaced=None):
        """The layouts that it may extend; ``replaced``: its own parts as they would be saved, ``{part:
        source}``.
        """
        return self.own_book or layout_book(self.channel, self, replaced)

    def compile(self, book=None):
        """The CompiledContent of what would be saved. Raises TemplateRefused."""
        template = self.template if self.template_id or self._state.fields_cache.get("template") else None
        found = {"template": template, "channel": self.channel, "language": self.language}
        try:
            return contents.compile_content(
                *contents.checked_sources(self.sources()), book=book or self.book(), **found
            )
        except TemplateRefused as error:
            if not self.file or error.part not in files.PARTS:
                raise
            raise TemplateRefused(str(error), part="file", line=error.line) from error

    def version_columns(self, compiled):
        """The values of a version of this content, by column."""
        columns = dict(zip(contents.PARTS, self.sources(), strict=True))
        for part in files.PARTS:
            whole = getattr(compiled, part).source
            columns[f"whole_{part}"] = None if whole == columns[part] else whole
        return columns | {
            "text_from_html": contents.text_template(columns["text"], compiled.html.source),
            "paths": compiled.paths,
        }

    def add_version(self, compiled, *, author, note):
        """Add a version, unless it would be the one that there is. Returns whether it did."""
        columns = self.version_columns(compiled)
        if self.version and all(getattr(self.version, name) == columns[name] for name in COLUMNS_OF_PARTS):
            return False
        number = self.version.number + 1 if self.version else 1
        self.version = ContentVersion.objects.create(
            content=self, number=number, **columns, author=author[:150], note=note[:200]
        )
        super().save(update_fields=["version"])
        return True

    def clean(self):
        if self.file and (self.text.strip() or self.html.strip()):
            raise ValidationError(
                {"file": _("Name a file, or write a text or an HTML body: one of the two.")}
            )
        if not self.file and not self.text.strip() and not self.html.strip():
            raise ValidationError({"text": _("Write a text or an HTML body.")})
        if self.language and languages.tag_of(self.language) != self.language:
            raise ValidationError({"language": _("Write the language as a code, such as de or pt-br.")})
        try:
            compiled = self.compile()
        except TemplateRefused as error:
            raise ValidationError({error.part or "text": str(error)}) from error
        if self.template_id is None:
            return
        for subscription in self.template.subscriptions.select_related("trigger"):
            if self.channel in subscription.channels:
                self.check_against(subscription.trigger, compiled=compiled)
        layout_dependents.check(self)

    def check_against(self, trigger, *, field=None, compiled=None):
        """Raise ValidationError when a part names what ``trigger``'s events cannot give, on ``field`` or on
        that part's own.
        """
        try:
            parts = (compiled or self.compile()).parts()
        except TemplateRefused as error:
            raise self._problem(error.part or "text", error, field) from error
        for part, each in parts.items():
            try:
                offers.check_paths(each.paths, trigger, self.template.providers)
            except UnreadablePath as error:
                raise self._problem(part, error, field) from error

    def _problem(self, part, error, field):
        if field:
            return ValidationError({field: f"{self.channel}, {part}: {error}"})
        return ValidationError({"file" if self.file and part in files.PARTS else part: str(error)})


def layout_book(channel, content=None, replaced=None):
    """The Book of what may be extended on ``channel``; ``replaced``: parts of ``content`` before its save."""
    contents_here = TemplateContent.objects.filter(channel=channel)

    def read(name):
        rows = contents_here.filter(template__name=name, version__isnull=False)
        rows = (rows if replaced is None else rows.exclude(pk=content.pk)).select_related("version")
        sources = {row.language: {"text": row.version.text, "html": row.version.html} for row in rows}
        keys = [row.template_id for row in rows]
        if replaced is not None and content.template_id and content.template.name == name:
            sources[content.language] = replaced
            keys.append(content.template_id)
        return (keys[0], sources) if sources else None

    names = contents_here.order_by("template__name").values_list("template__name", flat=True).distinct()
    return layouts.Book(channel, read=read, names=lambda: list(names))
