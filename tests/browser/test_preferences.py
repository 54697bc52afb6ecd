"""Preferences and unsubscribing in a browser, on a phone: by keyboard alone, and by clicks."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from notifier.models import Category, OptOut, Preferences
from notifier.people import link_tokens
from tests.support.builders import make_trigger, make_user

pytestmark = pytest.mark.one_database


@pytest.mark.django_db(transaction=True)
def test_somebody_unsubscribes_by_keyboard_undoes_it_and_chooses_by_clicks(open_window):
    offers = Category.objects.create(name="offers", title="Offers", description="Sales, and what is new.")
    make_trigger(category=offers)
    make_trigger(category=Category.objects.create(name="security", title="Your account", mandatory=True))
    ada = make_user()
    page = open_window(width=390, height=844)
    token = link_tokens.sign("unsubscribe", f"user:{ada.pk}", 1, offers.pk, "email")
    page.goto(f"/notifications/unsubscribe/{token}/")

    # By keyboard alone.
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Unsubscribe")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("You will not get “Offers” by e-mail any more.")
    assert OptOut.objects.count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("You get “Offers” by e-mail again.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    # By clicks.
    expect(page.get_by_role("heading", name="What you get, and how")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("checkbox", name="Offers: E-mail").uncheck()
    page.get_by_label("From").fill("22:00")
    page.get_by_label("Until").fill("07:00")
    page.get_by_role("button", name="Use ").click()
    page.get_by_label("Once a day").check()
    page.get_by_role("button", name="Save").click()
    saved = page.get_by_role("status")
    expect(saved).to_contain_text("Offers: nothing")
    expect(saved).to_contain_text("Quiet hours from 22:00 until 07:00.")
    expect(page.get_by_role("checkbox", name="Offers: E-mail")).not_to_be_checked()
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    wish = Preferences.objects.get(user=ada)
    assert (wish.quiet_from, wish.time_zone, wish.digest) == (dt.time(22), zone, "daily")
    assert OptOut.objects.get().source == "page"
