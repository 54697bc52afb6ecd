"""Under its policy each page works as before, and what somebody smuggles into one runs nowhere."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from playwright.sync_api import expect

from notifier.inbox import items
from notifier.models import Category
from notifier.people import link_tokens
from tests.support.builders import make_delivery, make_event, make_trigger

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

# What a page's policy refuses, whether or not the console tells.
LISTEN = """
  window.refused = [];
  addEventListener("securitypolicyviolation",
      (event) => window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
HTML = '<style>h1 { color: rgb(1, 2, 3) }</style><h1>Hello</h1><p style="color: rgb(4, 5, 6)">Bye</p>'
MAIL = {"subject": "Hi", "html": HTML}
PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
# Each sets `window.ran`, or fetches from elsewhere; all of them parse wherever they end up.
SMUGGLED = f"""
  <base href="https://evil.example/"><script>window.ran = "script"</script>
  <script src="https://evil.example/x.js"></script>
  <script src="data:text/javascript,window.ran='data'"></script>
  <img src="{PICTURE}x" onerror="window.ran = 'onerror'"><svg onload="window.ran = 'onload'"></svg>
  <iframe srcdoc="<script>parent.ran = 'frame'</script>"></iframe>
  <iframe src="javascript:void(parent.ran='address')"></iframe>
  <object data="data:text/html,<script>window.ran='object'</script>"></object>
  <embed src="data:text/html,<script>1</script>"><details open ontoggle="window.ran = 'toggle'">x</details>
  <link rel="stylesheet" href="https://evil.example/x.css">
  <form id="evil-form" action="https://evil.example/" method="post"><button>Go</button></form>
  <a id="evil" href="javascript:void(window.ran='link')">Open</a>
"""


@pytest.fixture
def robin():
    return get_user_model().objects.create_superuser("robin", "robin@example.com", "x", first_name="Robin")


@pytest.fixture
def open_page(open_window, live_server, robin):
    """Opens a page of a browser in which Robin is signed in, and notes what its policies refuse."""

    def open_page(path="/admin/", *, width=1366, noisy=False):
        page = open_window(width=width, noisy=noisy)
        client = Client()
        client.force_login(robin)
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page.add_init_script(LISTEN)
        page.goto(path)
        return page

    return open_page


@pytest.fixture
def rule():
    return make_trigger(
        name="A sale",
        model="demo.flashsale",
        contents={"email": MAIL},
        category=Category.objects.create(name="offers"),
    )


def nothing_was_refused(page):
    assert page.evaluate("window.refused") == []
    return True


# The admin.


def test_lists_are_searched_filtered_and_acted_on(open_page, rule):
    delivery = make_delivery(event=make_event())
    page = open_page("/admin/notifier/delivery/")
    page.locator("tbody input[type=checkbox]").locator("visible=true").first.check()
    # Its bar is as wide as the list, which is a style in an attribute.
    bar = page.locator("#changelist-actions")
    expect(bar).to_be_visible()
    assert re.search(r"width: [1-9]\d*", bar.get_attribute("style"))
    assert nothing_was_refused(page)
    page.goto("/admin/notifier/trigger/?q=sale&enabled__exact=1")
    expect(page.get_by_role("link", name="A sale").first).to_be_visible()
    assert nothing_was_refused(page)
    page.goto(f"/admin/notifier/delivery/{delivery.pk}/change/")
    assert nothing_was_refused(page)


def test_set_up_answers_while_one_types(open_page):
    page = open_page("/admin/notifier/trigger/setup/")
    page.get_by_label("To what?").select_option("Flash sale")
    page.get_by_label("Only if").fill("instance.discount_percent >= 20")
    expect(page.get_by_role("status").filter(has_text="at least 20")).to_be_visible()
    assert nothing_was_refused(page)


def test_the_editor_shows_a_mail_in_its_own_styles(open_page, rule):
    template = rule.subscriptions.get().template
    page = open_page(f"/admin/notifier/template/{template.pk}/change/")
    frame = page.get_by_role("complementary", name="Preview").frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Hello")).to_have_css("color", "rgb(1, 2, 3)")
    expect(frame.get_by_text("Bye")).to_have_css("color", "rgb(4, 5, 6)")
    page.get_by_role("textbox", name="HTML").fill(f"{HTML}<img alt='A cat' src='{PICTURE}'>")
    expect(frame.get_by_role("img", name="A cat")).to_have_js_property("complete", True)
    assert nothing_was_refused(page)


def test_the_overview_draws_and_the_frame_around_it_opens_and_closes(open_page, rule, robin):
    make_delivery(event=make_event())
    page = open_page("/admin/notifier/overview/")
    expect(page.locator(".overview-chart svg")).to_be_visible()
    # The sidebar, the menu with the look, and the look.
    sidebar = page.get_by_role("link", name="Templates").first
    expect(sidebar).to_be_visible()
    page.get_by_text("dock_to_right").locator("visible=true").first.click()
    expect(sidebar).not_to_be_visible()
    page.keyboard.press("Control+e")
    expect(page.locator("html")).to_have_class(re.compile("dark|light"))
    # The bell, and what comes while it is looked at.
    page.get_by_role("button", name=re.compile("^Notifications")).click()
    items.add_item(robin.pk, title="News", text="Now", link="/admin/", icon=PICTURE)
    expect(page.get_by_role("dialog", name="Notifications").get_by_text("News")).to_be_visible()
    assert nothing_was_refused(page)


def test_a_date_is_picked_and_another_row_is_looked_for(open_page, rule):
    page = open_page("/admin/demo/flashsale/add/")
    page.locator(".datetimeshortcuts :is(a, button)").locator("visible=true").last.click()
    assert nothing_was_refused(page)
    page.goto(f"/admin/notifier/trigger/{rule.pk}/change/")
    page.locator(".select2-selection").locator("visible=true").first.click()
    expect(page.locator(".select2-results__option").first).to_be_visible()
    assert nothing_was_refused(page)


@pytest.mark.parametrize("path", ["history", "delete"])
def test_what_else_a_row_has(open_page, rule, path):
    assert nothing_was_refused(open_page(f"/admin/notifier/trigger/{rule.pk}/{path}/"))


# People's pages, and errors.


def test_peoples_pages_and_errors_refuse_nothing_of_their_own(open_page, robin, rule):
    items.add_item(robin.pk, title="News", text="Now", link="/admin/", icon="https://example.com/none.gif")
    stop = link_tokens.sign("unsubscribe", f"user:{robin.pk}", 1, rule.category_id, "email")
    paths = {
        "": 200,
        "preferences/": 200,
        f"preferences/{link_tokens.sign('preferences', f'user:{robin.pk}', 1)}/": 200,
        f"unsubscribe/{stop}/": 200,
        "unsubscribe/cut/": 404,
        "inbox/": 200,
        "inbox/openapi.json": 200,
        "nowhere/": 404,
    }
    # It says what the server answers.
    page = open_page(noisy=True)
    page.route("https://example.com/*", lambda route: route.fulfill(content_type="image/gif", body=b"GIF89a"))
    for path, status in paths.items():
        answer = page.goto(f"/notifications/{path}")
        assert (answer.status, nothing_was_refused(page)) == (status, True), path
    page.context.clear_cookies()
    for path in "/admin/login/", "/admin/":
        page.goto(path)
        assert nothing_was_refused(page), path


def test_a_form_without_its_cookie_is_refused_in_a_page_that_has_its_looks(open_page):
    page = open_page("/notifications/preferences/", noisy=True)
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="This form could not be checked")).to_be_visible()
    assert nothing_was_refused(page)


def test_those_who_are_locked_out_are_told_so_under_a_policy(open_window, settings, robin):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 1
    page = open_window(width=1280, noisy=True)
    page.add_init_script(LISTEN)
    page.goto("/admin/login/")
    page.get_by_label("Username").fill("robin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Too many failed attempts").locator("visible=true").first).to_be_visible()
    assert nothing_was_refused(page)


def test_the_outbox_shows_a_mail_in_its_own_styles(open_page, cloud):
    mail = EmailMultiAlternatives("Hi", "Hi", to=["ada@example.com"])
    mail.attach_alternative(f"{HTML}<img alt='A cat' src='{PICTURE}'>", "text/html")
    mail.send()
    page = open_page("/outbox/?message=1")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Hello")).to_have_css("color", "rgb(1, 2, 3)")
    expect(frame.get_by_text("Bye")).to_have_css("color", "rgb(4, 5, 6)")
    assert page.locator("iframe").bounding_box()["height"] > 100
    assert nothing_was_refused(page)
    page.goto("/outbox/messages.json")
    assert nothing_was_refused(page)


# What is smuggled in.


def smuggle(route):
    """As if the page's template had let it through, at the end of its body."""
    answer = route.fetch()
    route.fulfill(response=answer, body=f"{answer.text()}{SMUGGLED}")


PAGES = [
    "/admin/notifier/trigger/",
    "/admin/notifier/template/{template}/change/",
    "/admin/login/",
    "/notifications/",
    "/notifications/preferences/",
    "/notifications/preferences/{link}/",
    "/notifications/unsubscribe/cut/",
    "/nowhere/",
    "/outbox/",
]


@pytest.mark.parametrize("path", PAGES)
def test_what_is_smuggled_into_a_page_neither_runs_nor_asks_elsewhere(open_page, robin, rule, cloud, path):
    mail = EmailMultiAlternatives("Hi", "Hi", to=["ada@example.com"])
    mail.attach_alternative(HTML, "text/html")
    mail.send()
    page, asked = open_page(noisy=True), []
    page.route("https://evil.example/**", lambda route: asked.append(route.request.url) or route.abort())
    link = link_tokens.sign("preferences", f"user:{robin.pk}", 1)
    path = path.format(template=rule.subscriptions.get().template_id, link=link)
    page.route(f"**{path}", smuggle)
    page.goto(path)
    page.locator("#evil").evaluate("link => link.click()")
    page.locator("#evil-form").evaluate("form => form.submit()")
    # Frames and pictures have had their turn when a message to oneself comes back.
    page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.baseURI").startswith("http://localhost")
    assert asked == []


def test_a_link_that_runs_something_does_nothing_in_the_inbox(open_page, robin):
    """One that was written past the check of links."""
    item = items.add_item(robin.pk, title="News", text="Now", link="/admin/", icon="")
    type(item).objects.filter(pk=item.pk).update(link="javascript:void(window.ran='link')")
    page = open_page("/notifications/", noisy=True)
    page.get_by_role("link", name="News").click()
    assert page.evaluate("window.ran") is None
