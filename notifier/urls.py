"""The pages that people who are notified see.

Include them anywhere: ``path("notifications/", include("notifier.urls"))``.
"""

from functools import partial, wraps

from django.db import connections, transaction
from django.urls import path

from .inbox import api, openapi, pages, stream
from .page_headers import CACHE, DATA, INBOX, LINKED, PAGE, PERSONAL, PUBLIC, guarded
from .people import device_views, link_tokens, reader_links
from .preferences import pages as preference_pages, unsubscribing


def _atomic_only_for(may_read, view):
    """``view`` that takes no connection to the database for whoever it refuses anyway, with ATOMIC_REQUESTS
    either: a flood of requests would take them all.

    ``may_read(request, **arguments)`` asks the database nothing where the answer is no.
    """

    @transaction.non_atomic_requests
    @wraps(view)
    def decided(request, **arguments):
        found = view
        if may_read(request, **arguments):
            # As Django's own handler does it: https://docs.djangoproject.com/en/5.2/topics/db/transactions/
            for alias, options in connections.settings.items():
                if options["ATOMIC_REQUESTS"]:
                    found = transaction.atomic(using=alias)(found)
        return found(request, **arguments)

    return decided


def _is_signed_in(request, **_arguments):
    return request.user.is_authenticated


def _has_good_link(purpose, request, token):
    try:
        return token != reader_links.SAMPLE and bool(link_tokens.read(purpose, token))
    except link_tokens.BadLink:
        return False


def _signed_in(view):
    return _atomic_only_for(_is_signed_in, view)


def data(view):
    return guarded(DATA)(_signed_in(view))


def linked(purpose, view):
    return guarded(PAGE, LINKED)(_atomic_only_for(partial(_has_good_link, purpose), view))


inbox, personal, public = guarded(INBOX, PERSONAL), guarded(PAGE, PERSONAL), guarded(DATA, {CACHE: PUBLIC})

app_name = "notifier"
urlpatterns = [
    path("", inbox(_signed_in(pages.InboxPage.as_view())), name="inbox"),
    path("inbox/", data(api.list_items), name="inbox-list"),
    path("inbox/unread/", data(api.count_unread), name="inbox-unread"),
    path("inbox/read/", data(api.read_all), name="inbox-read-all"),
    path(
        "inbox/openapi.json", public(transaction.non_atomic_requests(openapi.document)), name="inbox-openapi"
    ),
    path("inbox/stream/", guarded(DATA)(stream.stream), name="inbox-stream"),
    path("inbox/<str:key>/read/", data(api.read_item), name="inbox-read"),
    path("inbox/<str:key>/archive/", data(api.archive_item), name="inbox-archive"),
    path("devices/", data(device_views.register), name="register_device"),
    path("devices/<int:pk>/remove/", data(device_views.remove), name="remove_device"),
    path("preferences/", personal(_signed_in(preference_pages.own_preferences)), name="own_preferences"),
    path("preferences/<str:token>/", linked("preferences", preference_pages.preferences), name="preferences"),
    path("unsubscribe/<str:token>/", linked("unsubscribe", unsubscribing.unsubscribe), name="unsubscribe"),
]
