"""The bell in a browser: live through cuts on both kinds of servers, by polling where no stream comes
through, and by keyboard alone.
"""

import json
import re
from contextlib import contextmanager
from threading import Thread

import pytest
import uvicorn
from django.conf import settings as django_settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.test import Client
from playwright.sync_api import expect

from notifier.inbox import items, stream, stream_batches, stream_open, stream_waking
from notifier.models import InboxItem
from tests.browser.conftest import PATIENCE_MILLISECONDS
from tests.browser.cutting import BEFORE, WITHIN, CuttingProxy
from tests.inbox.streams import add
from tests.support.builders import make_user
from tests.support.patience import wait_until

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

ITEMS, CUTS = 40, 10
# What the browser's own stream gave the page, before the bell has made anything of it.
LISTEN_IN = """
  window.seen = [];
  window.EventSource = class extends EventSource {
    constructor(...options) { super(...options); this.addEventListener("item",
        (event) => window.seen.push(Number(event.lastEventId))); }
  };
"""


@pytest.fixture
def ann():
    return make_user(username="ann", first_name="Ann")


@pytest.fixture(autouse=True)
def quick(settings, monkeypatch):
    """The same ways, with short times: as the server says them."""
    settings.ROOT_URLCONF = "tests.inbox.bell_urls"
    settings.NOTIFIER = settings.NOTIFIER | {"INBOX_RETRY_SECONDS": 0.05}
    monkeypatch.setattr(stream_open, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(stream, "MORE_IN_SECONDS", 0.01)
    monkeypatch.setattr(stream_waking, "POLL_SECONDS", 0.05)
    # A page of the stream is short, so that cuts fall between pages, too.
    monkeypatch.setattr(stream_batches, "PAGE_ITEMS", 3)


@contextmanager
def asgi_server():
    """Yield the port of an ASGI server with the project."""
    application = ASGIStaticFilesHandler(get_asgi_application())
    server = uvicorn.Server(
        uvicorn.Config(application, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=5)
    )
    thread = Thread(target=server.run, name="uvicorn")
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), "the server has started")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(params=["asgi", "wsgi"])
def port(request):
    """That of a server whose streams stay open, or of one whose answers are short as on Lambda."""
    if request.param == "wsgi":
        yield request.getfixturevalue("live_server").thread.port
        return
    with asgi_server() as port:
        yield port


@pytest.fixture
def open_window(browser, live_server, ann):
    """Opens pages in which Ann is signed in, side by side; what goes wrong in them fails the test."""
    problems, contexts = [], []

    def open_window(*, width, noisy=False):
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=live_server.url)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        sign_in(context, ann, live_server.url)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        if not noisy:
            context.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        return context.new_page()

    yield open_window
    for context in contexts:
        context.close()
    assert problems == []


def sign_in(context, user, url):
    client = Client()
    client.force_login(user)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])


def bell_of(page):
    return page.get_by_role("button", name=re.compile("^Notifications"))


def panel_of(page):
    return page.get_by_role("dialog", name="Notifications")


def titles(page):
    return panel_of(page).locator("li strong").all_text_contents()


def test_nothing_is_lost_or_doubled_through_ten_cuts(browser, port, ann):
    with CuttingProxy(port) as proxy:
        context = browser.new_context(base_url=proxy.url)
        sign_in(context, ann, proxy.url)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.add_init_script(LISTEN_IN)
        page.goto("/page/")
        bell_of(page).click()
        expect(panel_of(page).get_by_text("You have no notifications.")).to_be_visible()
        page.evaluate("window.isTheSamePage = true")
        cuts = 0
        for number in range(ITEMS):
            if number % (ITEMS // CUTS) == 1:
                proxy.cut_next(WITHIN if number % 8 == 1 else BEFORE)
            add(ann, f"Item {number}")
            if number % (ITEMS // CUTS) == 3:
                cuts += 1
                wait_for(page, lambda cuts=cuts: proxy.cuts == cuts, "the connection is cut")
        expect(bell_of(page)).to_have_accessible_name(f"Notifications: {ITEMS} unread")
        assert cuts == proxy.cuts == CUTS
        assert page.evaluate("window.seen") == list(range(1, ITEMS + 1))
        assert titles(page) == [f"Item {number}" for number in reversed(range(ITEMS))]
        assert page.evaluate("window.isTheSamePage")
        context.close()


def wait_for(page, condition, what):
    """Let the browser go on until ``condition()``; ``what`` says it in words."""
    wait_until(condition, what, pause=lambda seconds: page.wait_for_timeout(seconds * 1000))


def test_where_no_stream_comes_through_it_polls_and_asks_by_what_it_has_already(open_window, ann):
    page = open_window(width=1280, noisy=True)
    page.route("**/inbox/stream/**", lambda route: route.fulfill(status=502, body="No streams here."))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response("**/inbox/unread/"):
        page.goto("/page/")
    bell_of(page).click()
    expect(panel_of(page).get_by_text("You have no notifications.")).to_be_visible()
    for number in range(ITEMS):
        add(ann, f"Item {number}")
    expect(bell_of(page)).to_have_accessible_name(f"Notifications: {ITEMS} unread")
    # One answer has twenty of them, and the number of all; the others come with the next.
    expect(panel_of(page).get_by_role("listitem")).to_have_count(ITEMS)
    assert titles(page) == [f"Item {number}" for number in reversed(range(ITEMS))]
    wait_for(
        page,
        lambda: any(url.endswith(f"/inbox/?since={ITEMS}") for url in asked),
        "it asks for what is newer",
    )
    # Whoever signs out elsewhere is told so, and asked for nothing more.
    page.context.clear_cookies()
    expect(panel_of(page).get_by_role("alert")).to_have_text(
        "You have been signed out. Sign in again to see your notifications."
    )
    expect(panel_of(page).get_by_role("listitem")).to_have_count(0)
    expect(bell_of(page)).to_have_accessible_name("Notifications")


def test_what_comes_between_the_list_and_the_first_word_of_where_the_inbox_stands_is_listed(open_window, ann):
    page = open_window(width=1280, noisy=True)
    page.route("**/inbox/stream/**", lambda route: route.fulfill(status=502, body="No streams here."))
    held = []
    page.route("**/inbox/unread/", lambda route: held.append(route))
    page.goto("/page/")
    bell_of(page).click()
    expect(panel_of(page).get_by_text("You have no notifications.")).to_be_visible()
    wait_for(page, lambda: held, "it asks where the inbox stands")
    add(ann, "Just now")
    held[0].continue_()
    expect(bell_of(page)).to_have_accessible_name("Notifications: 1 unread")
    expect(panel_of(page).get_by_role("listitem")).to_have_count(1)


def test_by_keyboard_alone_and_in_two_tabs(open_window, ann):
    for number in range(4):
        add(ann, f"Item {number}", text="What it says", link="/page/?item=3" if number == 3 else "")
    page = open_window(width=390)
    page.goto("/page/")
    other = page.context.new_page()
    other.goto("/page/")
    page.bring_to_front()

    # By Tab to the bell, which says what it is and how many there are.
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    bell, panel = bell_of(page), panel_of(page)
    expect(bell).to_be_focused()
    expect(bell).to_have_accessible_name("Notifications: 4 unread")
    expect(bell).to_have_attribute("aria-expanded", "false")
    expect(panel).to_be_hidden()
    for key in "Enter", " ":
        page.keyboard.press(key)
        expect(panel).to_be_focused()
        expect(bell).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(bell).to_be_focused()

    # By arrows from one to the other; the list's ends are its ends.
    page.keyboard.press("ArrowDown")
    rows = panel.get_by_role("listitem")
    expect(rows.nth(0).get_by_role("link")).to_be_focused()
    expect(rows.nth(0).get_by_role("link")).to_have_accessible_name(
        re.compile("^Unread: Item 3 What it says")
    )
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1).get_by_role("button", name=re.compile("^Unread: Item 2"))).to_be_focused()
    page.keyboard.press("End")
    expect(rows.nth(3).get_by_role("button", name=re.compile("^Unread: Item 0"))).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(3).get_by_role("button", name=re.compile("^Unread: Item 0"))).to_be_focused()

    # Reading one counts down, here and in the other tab, and leaves the focus where it is.
    page.keyboard.press("Enter")
    expect(bell).to_have_accessible_name("Notifications: 3 unread")
    expect(rows.nth(3).get_by_role("button", name=re.compile("^Item 0"))).to_be_focused()
    expect(bell_of(other)).to_have_accessible_name("Notifications: 3 unread")

    # What comes meanwhile is said once, stands first, and takes nobody's place.
    expect(page.get_by_role("status")).to_have_text("")
    add(ann, "Late news")
    expect(page.get_by_role("status")).to_have_text("New notification: Late news")
    expect(rows).to_have_count(5)
    expect(rows.nth(4).get_by_role("button", name=re.compile("^Item 0"))).to_be_focused()
    page.keyboard.press("Tab")
    expect(rows.nth(4).get_by_role("button", name="Archive: Item 0")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(4)
    expect(rows.nth(3).get_by_role("button", name=re.compile("^Unread: Item 1"))).to_be_focused()
    assert InboxItem.objects.get(title="Item 0").archived_at

    # All at once, but not what has not been shown yet.
    panel.get_by_role("button", name="Mark all as read").focus()
    page.keyboard.press("Enter")
    expect(bell).to_have_accessible_name("Notifications")
    expect(panel.get_by_role("button", name="Mark all as read")).to_be_hidden()
    expect(bell_of(other)).to_have_accessible_name("Notifications")
    assert items.unread_of(ann.pk).count() == 0

    # On a phone it is as wide as the window, and leaves by Tab.
    box = panel.bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    panel.get_by_role("link", name="See all").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="After")).to_be_focused()
    expect(panel).to_be_hidden()

    # A link leads to its page.
    bell.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(0).get_by_role("button", name=re.compile("^Late news"))).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/page/?item=3")


def test_what_is_older_than_what_it_knows_changes_nothing_and_what_is_no_link_is_none(open_window, ann):
    add(
        ann,
        "<img src=x onerror=alert(1)>",
        text="<b>bold</b>",
        link="javascript:alert(1)",
        icon="javascript:alert(1)",
    )
    page = open_window(width=1280)
    page.goto("/page/")
    old = page.context.request.get("/notifications/inbox/").text()
    bell_of(page).click()
    row = panel_of(page).get_by_role("listitem")
    expect(row.locator("strong")).to_have_text("<img src=x onerror=alert(1)>")
    expect(row.get_by_text("<b>bold</b>")).to_be_visible()
    expect(row.get_by_role("link")).to_have_count(0)
    assert page.locator("notifier-bell img").count() == 0
    row.get_by_role("button").first.click()
    expect(bell_of(page)).to_have_accessible_name("Notifications")
    # An answer that was on its way for long.
    page.keyboard.press("Escape")
    page.route(
        "**/notifications/inbox/", lambda route: route.fulfill(body=old, content_type="application/json")
    )
    bell_of(page).click()
    assert json.loads(old)["unread"] == 1
    expect(row.get_by_role("button", name=re.compile("^<img"))).to_be_visible()
    # A click beside it closes it.
    page.mouse.click(5, 500)
    expect(panel_of(page)).to_be_hidden()


def test_signed_out_there_is_no_bell_and_the_rest_of_the_page_is_there(client, db):
    text = client.get("/page/").content.decode()
    assert "notifier-bell" not in text
    assert "After" in text
    assert django_settings.CSRF_COOKIE_NAME not in client.cookies
