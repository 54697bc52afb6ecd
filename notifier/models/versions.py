"""The versions of a content: what an event was frozen for and a delivery is rendered from."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..templating import contents
from .json_columns import TreeField


class ContentVersion(models.Model):
    """A content as it was at one time: what an event was frozen for and a delivery is rendered from."""

    # Null for a test that somebody sent to themselves: it is no version of anything.
    content = models.ForeignKey("TemplateContent", models.CASCADE, null=True, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    subject = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    link = models.CharField(max_length=500, blank=True)
    icon = models.CharField(max_length=200, blank=True)
    # The template of the text part, made from the HTML's source; null where each rendered HTML must be
    # converted.
    text_from_html = models.TextField(null=True)
    # The part with its layouts, as it is compiled; null where it is the part itself.
    whole_text = models.TextField(null=True)
    whole_html = models.TextField(null=True)
    paths = TreeField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    # Who made it, and what else there is to say: "Version 3 again.", "The layout has changed."
    author = models.CharField(_("by"), max_length=150, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["content", "number"], name="notifier_version_numbers_are_unique")
        ]

    def __str__(self):
        return f"{self.content} v{self.number}" if self.content_id else f"test {self.pk}"

    def parts(self):
        return tuple(getattr(self, part) for part in contents.PARTS)

    def whole(self, part):
        """The source of ``text`` or ``html`` as it is compiled: with its layouts."""
        whole = getattr(self, f"whole_{part}")
        return getattr(self, part) if whole is None else whole
