"""“Set up a notification”: trigger, template, audience and subscription on one page. Leads to the trigger's
own.
"""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ...explaining import summaries
from .. import display
from ..going_live import AskFirst, ask_first, confirmation
from . import insertables, texts, words
from .form import SetupForm
from .permissions import may_set_up

# Sent with the same form by somebody who was asked and wants to change what was typed.
CHANGE = "change"


class SetupPages(admin.ModelAdmin):
    """Adds the page to the triggers' own."""

    def get_urls(self):
        own = [
            path("setup/", self.admin_site.admin_view(self.setup_view), name="notifier_setup"),
            path(
                "setup/facts/", self.admin_site.admin_view(self.setup_facts_view), name="notifier_setup_facts"
            ),
        ]
        return own + super().get_urls()

    def setup_view(self, request):
        form = self._setup_form(request)
        if request.method == "POST" and CHANGE not in request.POST and form.is_valid():
            return self._set_up(request, form)
        facts = setup_facts(
            form
            if form.is_bound
            else self._setup_form(request, {name: _plain(form[name].initial) for name in form.fields})
        )
        context = self.admin_site.each_context(request) | {
            "title": _("Set up a notification"),
            "form": form,
            "facts": facts,
            "media": form.media + display.setup_media(),
        }
        return TemplateResponse(request, "notifier/setup.html", context)

    def _set_up(self, request, form):
        try:
            with transaction.atomic():
                trigger = form.rows.save(request.user)
                ask_first(request, trigger, frozenset())
        except AskFirst as error:
            return confirmation(self, request, error, change=CHANGE)
        _say_what_next(request, trigger, form.rows.template)
        return HttpResponseRedirect(reverse("admin:notifier_trigger_change", args=[trigger.pk]))

    def setup_facts_view(self, request):
        """The words and offers of the page for what is typed so far."""
        return require_POST(lambda request: JsonResponse(setup_facts(self._setup_form(request))))(request)

    def _setup_form(self, request, data=None):
        if not may_set_up(request):
            raise PermissionDenied
        return SetupForm(
            data or (request.POST if request.method == "POST" else None),
            request=request,
            site=self.admin_site,
        )


def _plain(value):
    return getattr(value, "pk", value)


def setup_facts(form):
    """The sentence, the proposed name, the names that can be clicked on, and texts to start from."""
    form.is_valid()
    trigger = form.rows.trigger
    return {
        "summary": words.sentence(form.rows),
        "name": texts.trigger_name(trigger),
        "chips": {
            "texts": insertables.for_texts(trigger),
            "conditions": insertables.for_conditions(trigger),
            "paths": insertables.for_audiences(trigger),
        },
        "start": texts.starting_texts(trigger),
    }


def _say_what_next(request, trigger, template):
    live, tried = (
        _("It is set up and live."),
        _("It is set up, and only tried for now: each event shows what it would send."),
    )
    url = reverse("admin:notifier_template_change", args=[template.pk])
    link = format_html('<a href="{}" class="underline">{}</a>', url, _("Look at the message"))
    messages.success(request, format_html("{} {}.", tried if trigger.shadow else live, link))
    for text in summaries.relation_warnings(trigger):
        messages.warning(request, text)
