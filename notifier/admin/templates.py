"""What: a template with its contents, one a channel, and the names that may stand in them."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline

from .. import readable, signals
from ..models import Template, TemplateContent, Trigger
from . import display
from .forms import TemplateContentForm, TemplateContentFormSet

# Of the person who receives. There is more; these are what a message says.
PERSON = ["first_name", "last_name", "username", "email"]
# What Django's signals carry for programs.
INNER_NAMES = {"instance", "update_fields", "using"}


class TemplateContentInline(StackedInline):
    model = TemplateContent
    fk_name = "template"
    form = TemplateContentForm
    formset = TemplateContentFormSet
    extra = 0
    min_num = 1
    fields = ["channel", "subject", "text", "html"]
    verbose_name_plural = _("contents, one for each channel")


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    inlines = [TemplateContentInline]
    list_display = ["name", "description", "channels", "used_by"]
    search_fields = ["name", "description"]
    fields = ["name", "description", "used_by", "names"]
    readonly_fields = ["used_by", "names"]
    Media = display.Media

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("contents", "subscriptions__trigger")

    @admin.display(description=_("channels"), empty_value=display.NOTHING)
    def channels(self, template):
        return ", ".join(content.channel for content in template.contents.all())

    @admin.display(description=_("sent by"), empty_value=display.NOTHING)
    def used_by(self, template):
        return display.lines(display.object_link(Trigger, trigger.pk, trigger.name) for trigger in _triggers_of(template))

    @admin.display(description=_("names to write"))
    def names(self, template):
        """What the template's triggers offer, so that nobody has to know the models by heart."""
        people = _names("user", [name for name in PERSON if hasattr(get_user_model(), name)])
        rows = [(_("The person who receives it"), people)]
        rows += [(display.describe_trigger(trigger), _offered_by(trigger)) for trigger in _triggers_of(template)]
        hint = _("Once a trigger sends this template, what its event offers is listed here.") if len(rows) == 1 else ""
        text = format_html_join("", '<p class="notifier-names">{}:<br>{}</p>', rows)
        return format_html('<div class="notifier-wide">{}{}</div>', text, display.quiet(hint))


def _triggers_of(template):
    found = {each.trigger_id: each.trigger for each in template.subscriptions.all()} if template.pk else {}
    return sorted(found.values(), key=lambda trigger: trigger.name)


def _offered_by(trigger):
    registered = signals.get(trigger.verb)
    if registered is None:
        return display.quiet(_("The signal “%s” is not registered any more.") % trigger.verb)
    roots = [name for name in registered.args if name not in INNER_NAMES]
    model = readable.find_model(trigger.model)
    fields = _fields_of(model) if model and "instance" in registered.args else []
    return format_html("{} {}", _names("instance", fields), _names("", roots))


def _fields_of(model):
    return [field.name for field in model._meta.concrete_fields if readable.is_readable(model, field.name)]


def _names(root, names):
    paths = ((f"{{{{ {root}.{name} }}}}" if root else f"{{{{ {name} }}}}",) for name in names)
    return format_html_join(" ", "<code>{}</code>", paths)
