"""A person's first notification, from a database without rules: set up, looked at, tried on oneself, sent,
and asked about.

By clicks and typing alone; each step begins where the one before has led.
"""

import re

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from notifier.models import Audience, Event, Template, Trigger
from project.demo.models import FlashSale, Profile

pytestmark = pytest.mark.one_database

PASSWORD = "a long day in May"
# username, first name, active, phone; all have a mail address.
PEOPLE = [
    ("ada", "Ada", True, "+447400123401"),
    ("bo", "Bo", True, "+447400123402"),
    ("chidi", "Chidi", True, "+447400123403"),
    ("dunya", "Dunya", True, "+4915123456789"),
    ("edda", "Edda", True, "+447400123405"),
    ("noor", "Noor", True, ""),  # has no phone
    ("ivy", "Ivy", False, "+447400123407"),  # is not active any more
]
HERSELF = ("robin", "Robin", True, "+447400123400")
REACHED = [HERSELF, *(person for person in PEOPLE if person[2])]

SUMMARY = (
    "When a Flash sale is created and its discount percent is at least 20, e-mail and text all "
    "active users (7 people today)."
)


@pytest.fixture
def people(transactional_db):
    """The superuser Robin, and those who are to get something."""
    users = get_user_model()
    users.objects.create_superuser("robin", "robin@example.com", PASSWORD, first_name="Robin")
    for username, name, is_active, _phone in PEOPLE:
        users.objects.create(
            username=username, first_name=name, email=f"{username}@example.com", is_active=is_active
        )
    for username, _name, _is_active, phone in [HERSELF, *PEOPLE]:
        Profile.objects.create(user=users.objects.get(username=username), phone=phone)


@pytest.mark.parametrize("width", [1366, 390])
def test_somebody_new_to_it_sets_up_a_flash_sale_tries_it_sends_it_and_asks_why_noor_got_no_sms(
    open_window, people, cloud, pump, width
):
    page = open_window(width=width)
    assert not any(model.objects.exists() for model in (Trigger, Template, Audience, Event, FlashSale))
    sign_in(page)
    set_it_up(page)
    look_at_the_preview(page)
    send_it_to_herself(page, cloud, pump)
    create_the_sale(page, cloud, pump)
    read_the_event(page)
    ask_why(page)


def sign_in(page):
    page.goto("/admin/")
    fits(page)
    page.get_by_label("Username").fill("robin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Username")).to_have_count(0)
    fits(page)


def set_it_up(page):
    choose_in_menu(page, "Set up")
    expect(page.get_by_role("heading", name="Set up a notification")).to_be_visible()
    page.get_by_label("What happens?").select_option("It is created")
    page.get_by_label("To what?").select_option("Flash sale")
    page.get_by_label("Only if").fill("instance.discount_percent >= 20")

    page.get_by_role("checkbox", name="SMS").check()
    mail, sms = page.get_by_role("group", name="E-mail"), page.get_by_role("group", name="SMS")
    # A first draft stands there already.
    expect(mail.get_by_label("Subject")).to_have_value("Flash sale: {{ instance }}")
    mail.get_by_label("Body").fill("<h1>{{ instance.title }}</h1><p>Hello {{ user.first_name }}!</p>")
    sms.get_by_label("Text").fill("")
    expect(page.locator("#summary")).to_have_text(SUMMARY)
    # What somebody has emptied stays so.
    expect(sms.get_by_label("Text")).to_have_value("")
    for name in "First name", "Title":
        sms.get_by_role("button", name=name).click()
        sms.get_by_label("Text").press_sequentially("! ")

    expect(page.get_by_role("radio", name="Everyone: all active users")).to_be_checked()
    page.get_by_label("Its name").fill("Flash sale")
    fits(page)
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_text("It is set up and live.")).to_be_visible()
    fits(page)


def look_at_the_preview(page):
    page.get_by_role("link", name="Look at the message").click()
    preview = page.get_by_role("complementary", name="Preview")
    mail = preview.frame_locator("iframe")
    expect(mail.get_by_role("heading", name="Example flash sale")).to_be_visible()
    expect(mail.get_by_text("Hello Robin!")).to_be_visible()
    page.get_by_role("tab", name="sms").click()
    expect(preview.get_by_role("list", name="The parts of the SMS")).to_have_text(
        "Robin! Example flash sale!"
    )
    fits(page)


def send_it_to_herself(page, cloud, pump):
    page.get_by_role("tab", name="email").click()
    page.get_by_role("button", name="Send to me").click()
    expect(page.get_by_text("On its way to robin@example.com.")).to_be_visible()
    pump.drain()
    mail = (
        "robin@example.com",
        "[Test] Flash sale: Example flash sale",
        "Example flash sale\n\nHello Robin!",
    )
    assert [(message.recipient, message.subject, message.text) for message in cloud.outbox()] == [mail]
    page.get_by_role("link", name="See what comes of it").click()
    expect(page.get_by_text("The provider took it.")).to_be_visible()
    fits(page)


def create_the_sale(page, cloud, pump):
    choose_in_menu(page, "Flash sales")
    fits(page)
    page.get_by_role("link", name="Add flash sale").click()
    page.get_by_label("Title").fill("48 hours of linen")
    page.get_by_label("Discount percent").fill("30")
    page.get_by_role("textbox", name="Date").fill("2030-01-31")
    page.get_by_role("textbox", name="Time").fill("22:00")
    page.get_by_label("Url").fill("https://shop.example.com/linen")
    fits(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    pump.drain()
    mails = [
        (f"{username}@example.com", f"48 hours of linen\n\nHello {name}!") for username, name, *_ in REACHED
    ]
    texts = [(phone, f"{name}! 48 hours of linen!") for _, name, _, phone in REACHED if phone]
    received = [(message.recipient, message.text) for message in cloud.outbox()[1:]]
    assert sorted(received) == sorted(mails + texts)


def read_the_event(page):
    choose_in_menu(page, "Events")
    fits(page)
    # Her test stands there too.
    page.get_by_role("row").filter(has=page.get_by_role("link", name="Flash sale", exact=True)).get_by_role(
        "link"
    ).first.click()
    expect(page.get_by_text("instance.discount_percent >= 20")).to_be_visible()
    for link in "7 by e-mail", "7 sent", "7 by SMS", "6 sent", "1 skipped":
        expect(page.get_by_role("link", name=link, exact=True)).to_be_visible()
    expect(page.get_by_text("matched", exact=True)).to_be_visible()
    fits(page)


def ask_why(page):
    page.get_by_role("link", name="Why did somebody (not) get it?").click()
    page.get_by_label("Person").fill("noor")
    page.get_by_role("button", name="Why?").click()
    expect(
        page.get_by_role("heading", name=re.compile("^Noor got it by e-mail: the provider took it at"))
    ).to_be_visible()
    expect(
        page.get_by_role("heading", name="Noor did not get it by SMS: there was no address for SMS.")
    ).to_be_visible()
    fits(page)


def choose_in_menu(page, name):
    """The sidebar, which a phone shows after a tap."""
    link = page.get_by_role("navigation").get_by_role("link", name=name)
    if page.viewport_size["width"] <= 1280:
        # Its button has no name but its icon's.
        page.get_by_text("dock_to_right").locator("visible=true").click()
    # A click alone returns while the page it leaves, or none, is still there.
    with page.expect_navigation():
        link.click()


def fits(page):
    """Nothing on this page is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], page.url
