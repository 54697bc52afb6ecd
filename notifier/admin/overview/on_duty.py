"""The page of those on duty, and of the queues that the topic feeds: who subscribes, and how it stands. Calls
``queue.subscribers``; nothing of it is in the database.
"""

import logging

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ...exceptions import ConfigurationError
from ...models import OnDuty
from ...queue import subscribers
from ...queue.subscribers import SnsRefused
from .. import display, masking
from ..lookups import ModelAdmin

logger = logging.getLogger(__name__)


class AddressForm(forms.Form):
    """The address that is to be told."""

    address = forms.EmailField(max_length=254)


@admin.register(OnDuty)
class OnDutyAdmin(ModelAdmin):
    class Media:
        css = {"all": [*display.Media.css["all"], "notifier/pauses.css"]}

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="notifier_onduty_changelist"),
            path("subscribe/", wrap(self.subscribe_view), name="notifier_onduty_subscribe"),
            path("<uuid:key>/remove/", wrap(self.remove_view), name="notifier_onduty_remove"),
        ]

    def has_change_permission(self, request, obj=None):
        return False

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_see = masking.may_see_recipients(request)
        context = self.admin_site.each_context(request) | {
            "title": _("Those on duty"),
            "opts": self.opts,
            "media": self.media,
            "may_add": self.has_add_permission(request),
            "may_remove": self.has_delete_permission(request),
            **_read(may_see),
        }
        return TemplateResponse(request, "admin/notifier/onduty/change_list.html", context)

    @method_decorator(require_POST)
    def subscribe_view(self, request):
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = AddressForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(text for texts in form.errors.values() for text in texts))
            return _back()
        address = form.cleaned_data["address"]
        if _try(request, lambda: subscribers.subscribe(address)):
            _log(request, ADDITION, _("Asked %s to be told of alarms.") % masking.masked(address))
            text = _("SNS has written to the address. Nothing else is sent there before its link is opened.")
            messages.success(request, text)
        return _back()

    @method_decorator(require_POST)
    def remove_view(self, request, key):
        if not self.has_delete_permission(request):
            raise PermissionDenied
        removed = []
        if _try(request, lambda: removed.append(subscribers.unsubscribe(str(key)))):
            if removed[0] is None:
                messages.info(request, _("There is no such address any more."))
            else:
                _log(request, DELETION, _("Removed %s.") % masking.masked(removed[0].endpoint))
                messages.success(request, _("Removed: nothing more is sent there."))
        return _back()


def _read(may_see):
    """What the page shows of SNS, or what kept it from answering."""
    try:
        found, queues = subscribers.on_duty(), subscribers.queues()
    except (SnsRefused, ConfigurationError) as error:
        logger.warning("The topics' subscribers could not be listed: %s", error)
        return {"problem": _explain(error), "on_duty": [], "queues": []}
    return {
        "on_duty": [_row(each, may_see) for each in found],
        "queues": [_row(each, may_see or each.protocol == "sqs") for each in queues],
    }


def _row(subscriber, may_see):
    endpoint = subscriber.endpoint.rpartition(":")[2] if subscriber.protocol == "sqs" else subscriber.endpoint
    return {
        "protocol": subscriber.protocol,
        "endpoint": endpoint if may_see else masking.masked(endpoint),
        "key": subscriber.key if subscriber.protocol in subscribers.PROTOCOLS else "",
        "is_pending": subscriber.is_pending,
        "filter": subscriber.filter,
    }


def _try(request, act):
    try:
        act()
    except (SnsRefused, ConfigurationError) as error:
        logger.warning("SNS did not do what was asked of those on duty: %s", error)
        messages.error(request, _explain(error))
        return False
    return True


def _explain(error):
    if isinstance(error, ConfigurationError):
        return str(error)
    if str(error) in ("NotFound", "NotFoundException"):
        return _(
            "The topic of those on duty is not there yet: the next deploy makes it (manage.py stack apply)."
        )
    return _("SNS could not be asked (%s). Try again; the log of the website says more.") % error


def _log(request, flag, text):
    # Of no row: who is on duty only SNS knows.
    LogEntry.objects.create(
        user_id=request.user.pk,
        content_type=ContentType.objects.get_for_model(OnDuty, for_concrete_model=False),
        object_repr=str(OnDuty._meta.verbose_name_plural),
        action_flag=flag,
        change_message=str(text),
    )


def _back():
    return HttpResponseRedirect(reverse("admin:notifier_onduty_changelist"))
