"""Unread items as Django's messages: once each, on pages that show messages, for nothing elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.contrib import messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import connections
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client
from django.urls import include, path

from notifier.inbox import items
from notifier.inbox.messages import MOST_SHOWN, take_unsurfaced
from notifier.models import InboxItem
from tests.support.builders import make_user
from tests.support.statements import statements

TEMPLATE = (
    "{% for message in messages %}<li class='{{ message.tags }}'>{{ message }}</li>{% endfor %}{% "
    "if messages %}!{% endif %}"
)


def shown(request):
    return HttpResponse(engines["django"].from_string(TEMPLATE).render({}, request))


def shown_later(request):
    return TemplateResponse(request, engines["django"].from_string(TEMPLATE))


def added_and_sent_away(request):
    messages.success(request, "Saved.")
    return HttpResponseRedirect("/page/")


urlpatterns = [
    path("page/", shown),
    path("later/", shown_later),
    path("silent/", lambda request: HttpResponse("<p>No messages here.</p>")),
    path("json/", lambda request: JsonResponse({})),
    path("away/", added_and_sent_away),
    path("notifications/", include("notifier.urls")),
]


@pytest.fixture(autouse=True)
def _site(settings):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "notifier.inbox.messages.InboxMessagesMiddleware"]


@pytest.fixture
def ada(client, db):
    user = make_user()
    client.force_login(user)
    return user


def read(client, address="/page/"):
    return client.get(address).content.decode()


@pytest.mark.parametrize("address", ["/page/", "/later/"])
def test_an_unread_item_is_shown_once_whatever_session_asks(client, ada, address):
    items.add_item(ada.pk, title="<b>Sale</b>")
    items.add_item(ada.pk, title="Sent", link="/orders/5/?a=1&b=2")
    page = read(client, address)
    assert "<li class='notifier-inbox info'>&lt;b&gt;Sale&lt;/b&gt;</li>" in page
    assert '<a href="/orders/5/?a=1&amp;b=2">Sent</a>' in page
    assert page.index("Sale") < page.index("Sent")
    elsewhere = Client()
    elsewhere.force_login(ada)
    assert read(client, address) == read(elsewhere, address) == ""
    # It was shown, not read, and that is no change that a poll would tell.
    assert InboxItem.objects.filter(read_at=None).count() == 2
    assert items.last_number(ada.pk) == 2


def test_what_is_read_archived_or_anothers_is_not_shown(client, ada):
    first, second = (items.add_item(ada.pk, title=title) for title in "ab")
    items.mark_read(ada.pk, [first.pk])
    items.archive(ada.pk, [second.pk])
    items.add_item(make_user().pk, title="c")
    assert read(client) == ""


FREE = [
    # what is asked for, and the most that is asked of the inbox for it
    ("get", "/silent/", 0),
    ("get", "/json/", 0),
    ("get", "/away/", 0),
    ("head", "/page/", 0),
    ("get", "/page/", 1),  # nothing new there
    ("get", "/later/", 1),
]


@pytest.mark.parametrize(("method", "address", "most"), FREE)
def test_it_costs_a_page_without_news_one_query_and_everything_else_none(client, ada, method, address, most):
    if not most:
        items.add_item(ada.pk, title="News")
    with statements() as found:
        getattr(client, method)(address)
    assert [each for each in found if "inbox" in each] == ["SELECT notifier_inboxitem"] * most
    assert InboxItem.objects.filter(surfaced_at=None).count() == (not most)


@pytest.mark.django_db
def test_who_is_not_signed_in_costs_nothing(client):
    with statements() as found:
        read(client)
    assert [each for each in found if "inbox" in each] == []


def test_a_project_s_own_messages_stay_and_come_first(client, ada):
    items.add_item(ada.pk, title="News")
    page = client.get("/away/", follow=True).content.decode()
    assert page.index("Saved.") < page.index("News")
    assert read(client) == ""


def test_of_many_the_newest_are_shown_and_the_rest_is_a_number(client, ada):
    for number in range(12):
        items.add_item(ada.pk, title=f"Item {number:02}")
    page = read(client)
    assert [f"Item {number:02}" in page for number in range(12)] == [False] * 7 + [True] * MOST_SHOWN
    assert '<a href="/notifications/">7 more in your inbox.</a>' in page
    assert read(client) == ""


@pytest.mark.django_db(transaction=True)
def test_of_pages_at_once_one_shows_an_item():
    user = make_user()
    for number in range(MOST_SHOWN):
        items.add_item(user.pk, title=str(number))

    def look(_):
        try:
            return take_unsurfaced(user.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        texts = [text for found in pool.map(look, range(16)) for text in found]
    assert sorted(texts) == [str(number) for number in range(MOST_SHOWN)]


def test_the_storage_is_the_projects_own_still(rf, ada):
    from notifier.inbox.messages import InboxMessagesMiddleware

    request = rf.get("/")
    request.user, request.session = ada, {}
    request._messages = FallbackStorage(request)
    InboxMessagesMiddleware(lambda request: None)(request)
    assert isinstance(request._messages, FallbackStorage)
    bare = SimpleNamespace(method="GET")
    InboxMessagesMiddleware(lambda request: None)(bare)  # without Django's middleware before it
