"""The page of a template with its contents, one a channel, and the names that may stand in them."""

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.forms import Script
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _, ngettext
from unfold.admin import StackedInline

from ...explaining import gone, preview
from ...models import Template, TemplateContent, Trigger
from ...rules import providers, roots, signals
from ...templating import readable
from ...templating.data import LINKS
from .. import display
from ..declared import DeclaredRows
from ..lookups import ModelAdmin
from ..setup.insertables import INNER_NAMES, PERSON
from .forms import TemplateContentForm, TemplateContentFormSet, TemplateForm
from .previews import PreviewMixin
from .versions import VersionsMixin


class TemplateContentInline(StackedInline):
    model = TemplateContent
    fk_name = "template"
    form = TemplateContentForm
    formset = TemplateContentFormSet
    extra = 0
    min_num = 1
    template = "admin/notifier/template/contents.html"
    fields = ["channel", "language", "subject", "html", "text", "link", "icon", "file"]
    verbose_name_plural = _("contents, one for each channel and language")


@admin.register(Template)
class TemplateAdmin(PreviewMixin, VersionsMixin, DeclaredRows, ModelAdmin):
    inlines = [TemplateContentInline]
    list_display = ["name", "description", "channels", "used_by"]
    search_fields = ["name", "description"]
    nothing_yet = _(
        "No templates yet. A template is what is said, on each channel. Setting up a notification makes one."
    )
    form = TemplateForm
    readonly_fields = ["used_by"]
    change_form_template = "admin/notifier/template/change_form.html"

    class Media:
        css = {"all": [*display.Media.css["all"], "notifier/template-editor.css"]}
        js = [Script("notifier/template-editor.js", defer=True)]

    def get_fields(self, request, obj=None):
        return ["name", "description", *(["providers"] if providers.names() else []), "used_by"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("contents__version", "subscriptions__trigger")

    @admin.display(description=_("channels"), empty_value=display.NOTHING)
    def channels(self, template):
        return ", ".join(dict.fromkeys(content.channel for content in template.contents.all()))

    @admin.display(description=_("sent by"), empty_value=display.NOTHING)
    def used_by(self, template):
        triggers = _triggers_of(template)
        found = [display.object_link(Trigger, trigger.pk, trigger.name) for trigger in triggers]
        return display.lines([*found, *map(display.doubt, gone.with_template(template))])

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        template = self.get_object(request, object_id) if object_id else None
        context = (
            self.preview_context(request, template) | {"names": self.names(template)} | (extra_context or {})
        )
        return super().changeform_view(request, object_id, form_url, context)

    def save_formset(self, request, form, formset, change):
        """Save the contents with the name of the person who does it, and tell what should be known of
        them.
        """
        contents = formset.save(commit=False)
        for content in formset.deleted_objects:
            content.delete()
        for content in contents:
            content.save(author=request.user.get_username())
        formset.save_m2m()
        warnings = sum(len(preview.lint(content)[1]) for content in contents)
        if warnings:
            text = ngettext(
                "Saved, with {count} warning beside its field: {link}",
                "Saved, with {count} warnings beside their fields: {link}",
                warnings,
            )
            url = reverse("admin:notifier_template_change", args=[form.instance.pk])
            link = format_html('<a href="{}">{}</a>', url, form.instance)
            messages.warning(request, format_html(text, count=warnings, link=link))

    def names(self, template):
        """The names that the template's triggers offer, so that nobody has to know the models by heart."""
        people = _names("user", [name for name in (*PERSON, "email") if hasattr(get_user_model(), name)])
        people = format_html("{} {}", people, _names("", LINKS))
        rows = [(_("The person who receives it"), people)]
        rows += [
            (display.describe_trigger(trigger), _offered_by(trigger)) for trigger in _triggers_of(template)
        ]
        provided = providers.provided_by(template.providers if template else ())
        rows += [(_("The provider “%s”") % name, _names("", given)) for name, given in provided.items()]
        hint = (
            _("Once a trigger sends this template, what its event offers is listed here.")
            if not _triggers_of(template)
            else ""
        )
        text = format_html_join("", '<p class="notifier-names">{}:<br>{}</p>', rows)
        return format_html("{}{}", text, display.quiet(hint))


def _triggers_of(template):
    found = (
        {each.trigger_id: each.trigger for each in template.subscriptions.all()}
        if template and template.pk
        else {}
    )
    return sorted(found.values(), key=lambda trigger: trigger.name)


def _offered_by(trigger):
    registered = signals.get(trigger.verb)
    if registered is None:
        return display.quiet(_("The signal “%s” is not registered any more.") % trigger.verb)
    names, known = [name for name in registered.args if name not in INNER_NAMES], roots.models_of(trigger)
    objects = [name for name in ("instance", *names) if name in known]
    found = [_names(name, _fields_of(known[name])) for name in objects] + [_names("", names)]
    unsure = [name for name in roots.unchecked(trigger) if name not in INNER_NAMES]
    notes = [
        display.doubt(_("not checked: %s. %s") % (name, roots.how_to_check(trigger, name))) for name in unsure
    ]
    return format_html_join(" ", "{}", ((each,) for each in (*found, *notes)))


def _fields_of(model):
    return [field.name for field in model._meta.concrete_fields if readable.is_readable(model, field.name)]


def _names(root, names):
    paths = ((f"{{{{ {root}.{name} }}}}" if root else f"{{{{ {name} }}}}",) for name in names)
    return format_html_join(" ", "<code>{}</code>", paths)
