"""The template editor in a browser: a content is added, typed, mended, shown as it will arrive, and sent to
oneself.
"""

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import expect

from notifier.models import Delivery, Template
from tests.support.builders import make_trigger

pytestmark = pytest.mark.one_database


@pytest.fixture
def page(open_window, live_server):
    """A page of a browser in which the editor Robin is signed in."""
    robin = get_user_model().objects.create_superuser("robin", "robin@example.com", "x", first_name="Robin")
    client = Client()
    client.force_login(robin)
    # Chromium says that it has kept the mail's script from running.
    page = open_window(width=1280, noisy=True)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


@pytest.mark.django_db(transaction=True)
def test_a_person_adds_a_content_mends_it_sees_it_and_sends_it_to_themselves(page):
    template = (
        make_trigger(contents={"email": {"subject": "Hi", "html": "<h1>{{ instance.title }}</h1>"}})
        .subscriptions.get()
        .template
    )
    page.goto(f"/admin/notifier/template/{template.pk}/change/")
    preview = page.get_by_role("complementary", name="Preview")

    # A mail stands in a frame in which nothing runs.
    frame = preview.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Example post")).to_be_visible()
    page.get_by_role("textbox", name="HTML").fill(
        "<h1>{{ user.first_name }}</h1><script>parent.document.title = 'hacked'</script>"
    )
    expect(frame.get_by_role("heading", name="Robin")).to_be_visible()
    assert page.title() != "hacked"
    expect(page.get_by_text("There is no link to unsubscribe.")).to_be_visible()
    preview.get_by_role("radio", name="Text").check()
    expect(preview.get_by_label("The mail as text")).to_have_text("Robin")

    # A second content: an error at its line, then parts.
    page.get_by_role("button", name="Add a content").click()
    page.get_by_role("combobox", name="Channel").select_option("sms")
    expect(page.get_by_role("tab", name="sms", selected=True)).to_be_visible()
    text = page.get_by_role("textbox", name="Text", exact=True)
    text.fill("Hello\n{% if %}")
    page.get_by_role("button", name="Go to line 2").click()
    assert text.evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)") == "{% if %}"
    text.fill("… " + "x" * 70)
    expect(preview.get_by_role("list", name="The parts of the SMS").get_by_role("listitem")).to_have_count(2)
    expect(preview.get_by_text(re.compile("72 of 134 UCS-2 characters, 2 parts"))).to_be_visible()
    page.get_by_role("button", name="{{ instance.title }}").click()
    expect(text).to_have_value(re.compile(r"\{\{ instance.title \}\}"))
    preview.get_by_role("button", name="Send to me").click()
    expect(preview.get_by_text("You have no address on sms.")).to_be_visible()

    # By keyboard back to the mail, which goes out.
    page.get_by_role("tab", name="sms").press("ArrowLeft")
    preview.get_by_role("button", name="Send to me").click()
    expect(preview.get_by_text("On its way to robin@example.com.")).to_be_visible()
    assert Delivery.objects.get().is_test

    # On a phone nothing is wider than the window, and it is saved from there.
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/notifier/template/")
    found = dict(Template.objects.get().contents.values_list("channel", "html"))
    assert found.keys() == {"email", "sms"}
    assert "user.first_name" in found["email"]
