"""Unread items as ``django.contrib.messages``, once each, where a page shows messages.

Note [only when read]: a page that shows messages asks for them while it is rendered, and nothing else does:
an answer in JSON, a redirect, a file. So that is the moment to look, whatever kind of view it is, and all
others cost nothing.
"""

from functools import cache

from django.contrib import messages
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import ngettext

from ..models import InboxItem

# More at once would be a page of them: the rest are told as one, with the way to the inbox.
MOST_SHOWN = 5
TAG = "notifier-inbox"


class InboxMessagesMiddleware:
    """Put it below ``django.contrib.messages.middleware.MessageMiddleware``."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        storage = getattr(request, "_messages", None)
        if storage is not None and request.method != "HEAD":
            # Which storage it is, is the project's own choice: it stays that, and looks first.
            storage.__class__ = _surfacing(type(storage))
        return self.get_response(request)


@cache
def _surfacing(storage_class):
    return type(f"Surfacing{storage_class.__name__}", (SurfacingStorage, storage_class), {})


class SurfacingStorage:
    """A message storage that looks into the inbox when it is read, once a request."""

    has_looked = False

    def __iter__(self):
        self._look()
        return super().__iter__()

    def __len__(self):
        self._look()
        return super().__len__()

    def _look(self):
        user = getattr(self.request, "user", None)
        if self.has_looked or user is None or not user.is_authenticated:
            return
        self.has_looked = True
        for text in take_unsurfaced(user.pk):
            self.add(messages.INFO, text, TAG)


def take_unsurfaced(user_id):
    """The items that this person has not been shown yet, as texts; from now on they count as shown.

    One query where there is nothing.
    """
    new = InboxItem.objects.filter(user=user_id, surfaced_at=None, read_at=None, archived_at=None)
    found = list(new.order_by("-pk").only("title", "text", "link")[: MOST_SHOWN + 1])
    if not found:
        return []
    # Two pages at once: the one whose UPDATE changes the row shows it.
    shown = [item for item in found[:MOST_SHOWN] if new.filter(pk=item.pk).update(surfaced_at=timezone.now())]
    more = (
        new.filter(pk__lte=found[-1].pk).update(surfaced_at=timezone.now()) if len(found) > MOST_SHOWN else 0
    )
    return [_line(item) for item in reversed(shown)] + ([_more(more)] if more else [])


def _line(item):
    return format_html('<a href="{}">{}</a>', item.link, item.heading) if item.link else item.heading


def _more(number):
    text = ngettext("%d more in your inbox.", "%d more in your inbox.", number) % number
    try:
        return format_html('<a href="{}">{}</a>', reverse("notifier:inbox"), text)
    except NoReverseMatch:
        return text
