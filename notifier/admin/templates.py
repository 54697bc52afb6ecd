"""What: a template with its contents, one a channel."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..models import Template, TemplateContent
from .forms import TemplateContentForm


class TemplateContentInline(admin.StackedInline):
    model = TemplateContent
    form = TemplateContentForm
    extra = 0
    min_num = 1
    fields = ["channel", "subject", "text", "html"]


@admin.register(Template)
class TemplateAdmin(admin.ModelAdmin):
    inlines = [TemplateContentInline]
    list_display = ["name", "description", "channels"]
    search_fields = ["name", "description"]
    save_on_top = True

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("contents")

    @admin.display(description=_("channels"))
    def channels(self, template):
        return ", ".join(content.channel for content in template.contents.all())
