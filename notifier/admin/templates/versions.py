"""A content's versions: who changed what, when, and the way back to one."""

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST

from ...models import ContentVersion, TemplateContent
from ...templating.contents import PARTS
from .differences import compare

PART_NAMES = {"subject": gettext_lazy("Subject"), "text": gettext_lazy("Text"), "html": gettext_lazy("HTML")}
PART_NAMES |= {"link": gettext_lazy("Link"), "icon": gettext_lazy("Icon")}
MOST_LISTED = 50


def version_url(version):
    """The page of one version, or blank for a test, which is no version of anything."""
    if version.content_id is None:
        return ""
    return (
        f"{reverse('admin:notifier_template_versions', args=[version.content_id])}?version={version.number}"
    )


class VersionsMixin:
    """The page and the restore, for the ModelAdmin of templates."""

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("content/<int:pk>/versions/", wrap(self.versions_view), name="notifier_template_versions"),
            path("version/<int:pk>/restore/", wrap(self.restore_view), name="notifier_template_restore"),
            *super().get_urls(),
        ]

    def versions_view(self, request, pk):
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        content = get_object_or_404(TemplateContent.objects.select_related("template", "version"), pk=pk)
        shown = _version_of(content, request.GET.get("version", ""))
        older = content.versions.filter(number__lt=shown.number).first()
        listed = (
            content.versions.filter(number__gte=shown.number)
            if shown.number < content.version.number - MOST_LISTED
            else None
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Versions of %s") % content,
            "content_row": content,
            "original": content.template,
            "shown": shown,
            "older": older,
            "listed": (content.versions.all() if listed is None else listed.order_by("number"))[:MOST_LISTED],
            "parts": _differences(shown, older),
            "can_restore": self.has_change_permission(request, content.template)
            and shown.pk != content.version_id,
        }
        return TemplateResponse(request, "admin/notifier/template/versions.html", context)

    @method_decorator(require_POST)
    def restore_view(self, request, pk):
        """Make the content what it was in a version, as a new version."""
        version = get_object_or_404(
            ContentVersion.objects.select_related("content__template", "content__version"), pk=pk
        )
        content = version.content
        if content is None:
            raise Http404
        if not self.has_change_permission(request, content.template):
            raise PermissionDenied
        _restore(request, content, version)
        return HttpResponseRedirect(reverse("admin:notifier_template_versions", args=[content.pk]))


def _restore(request, content, version):
    if content.file:
        messages.error(
            request,
            _("It is made from the file %s: change the file, or take its name out of the content.")
            % content.file,
        )
        return
    if content.version.parts() == version.parts():
        messages.info(request, _("Nothing to do: that is what the content is now."))
        return
    for part, source in zip(PARTS, version.parts(), strict=True):
        setattr(content, part, source)
    try:
        content.clean()
    except ValidationError as error:
        messages.error(
            request, _("Version %d cannot be restored: %s") % (version.number, " ".join(error.messages))
        )
        return
    note = _("Version %d again.") % version.number
    content.save(author=request.user.get_username(), note=note)
    LogEntry.objects.log_actions(
        request.user.pk, [content.template], CHANGE, f"{content}: {note}", single_object=True
    )
    messages.success(
        request, _("Version %d is live again, as version %d.") % (version.number, content.version.number)
    )


def _version_of(content, number):
    """The version that the address names, or the live one."""
    if (
        number.isdecimal()
        and len(number) < 10
        and (found := content.versions.filter(number=int(number)).first())
    ):
        return found
    if content.version is None:
        raise Http404
    return content.version


def _differences(version, older):
    """Per part that either of them has: its name, and the rows of the change or, of what stayed, the text
    itself.
    """
    found = []
    for part in PARTS:
        new, old = getattr(version, part), getattr(older, part) if older else ""
        if new or old:
            found.append({"name": PART_NAMES[part], "rows": compare(old, new), "text": new})
    return found
