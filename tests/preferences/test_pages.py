"""The page on which people choose: what it offers, what it saves, and what it leaves as it was."""

import datetime as dt
import re
from html import unescape

import pytest
from django.test import Client

from notifier.models import Category, ContactPoint, OptOut, Preferences
from notifier.people import link_tokens
from tests.support.builders import make_delivery, make_trigger, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

OWN = "/notifications/preferences/"


@pytest.fixture
def ada():
    user = make_user(username="lovelace", email="lovelace@example.com", first_name="Lovelace")
    ContactPoint.objects.create(user=user, channel="sms", address="+447400123401")
    return user


@pytest.fixture
def rules():
    """Offers by mail and SMS, security by mail, and posts on X, which reach nobody in person."""
    text = {"subject": "x", "text": "x"}
    found = {}
    for name, channels, mandatory in (
        ("offers", ["email", "sms"], False),
        ("security", ["email"], True),
        ("posts", ["twitter"], False),
    ):
        found[name] = Category.objects.create(name=name, title=name.title(), mandatory=mandatory)
        make_trigger(category=found[name], channels=channels, contents=dict.fromkeys(channels, text))
    found["empty"] = Category.objects.create(name="empty", title="Empty")
    return found


@pytest.fixture
def client(ada):
    client = Client()
    client.force_login(ada)
    return client


def link_for(recipient, delivery=1):
    return f"{OWN}{link_tokens.sign('preferences', recipient, delivery)}/"


def form_of(page):
    """What a browser would send of the page: name → values."""
    html, found = page.content.decode(), {}
    for tag in re.findall(r"<input [^>]+>", html):
        attributes = {name: unescape(value) for name, value in re.findall(r'([a-z]+)="([^"]*)"', tag)}
        is_choice = attributes.get("type") in ("checkbox", "radio")
        if not is_choice or " checked" in tag:
            found.setdefault(attributes["name"], []).append(attributes.get("value", ""))
    return found


def opted_out():
    return sorted(OptOut.objects.values_list("category__name", "channel", "source"), key=str)


def test_the_table_has_the_channels_that_are_sent_and_can_reach_this_person(client, rules):
    page = client.get(OWN)
    offers, security = rules["offers"].pk, rules["security"].pk
    # Neither posts on X, which have no readers of their own, nor a category that nothing sends.
    assert form_of(page)["shown"] == [f"{offers}:email", f"{offers}:sms", "0:email", "0:sms"]
    assert "Posts" not in page.content.decode()
    assert f"{security}:email" not in page.content.decode()
    assert "Always on: it is what you need to know." in page.content.decode()


def test_what_is_chosen_is_saved_said_and_shown_and_what_is_chosen_again_is_had_again(client, ada, rules):
    form = form_of(client.get(OWN))
    form["on"].remove(f"{rules['offers'].pk}:sms")
    form |= {
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "time_zone": "europe/berlin",
        "language": "de",
        "digest": "daily",
    }
    answer = client.post(OWN, form | {"action": "save"}, follow=True)
    assert answer.redirect_chain == [(f"{OWN}?saved=1", 302)]
    text = answer.content.decode()
    for said in (
        "Saved.",
        "Offers: E-mail",
        "Quiet hours from 22:00 until 07:00.",
        "Europe/Berlin",
        "once a day",
    ):
        assert said in text
    assert opted_out() == [("offers", "sms", "page")]
    wish = Preferences.objects.get(user=ada)
    assert (wish.quiet_from, wish.quiet_until, wish.time_zone) == (dt.time(22), dt.time(7), "Europe/Berlin")
    form = form_of(client.get(OWN))
    assert f"{rules['offers'].pk}:sms" not in form["on"]
    form["on"].append(f"{rules['offers'].pk}:sms")
    client.post(OWN, form | {"action": "save"})
    assert opted_out() == []


def test_to_look_at_the_page_stores_nothing(client, rules):
    client.get(OWN)
    client.head(OWN)
    assert not Preferences.objects.exists()


WRONG = [
    # what was typed, what the page says
    ({"quiet_from": "22:00"}, "Quiet hours need both times, or none."),
    ({"quiet_from": "22:00", "quiet_until": "22:00"}, "would never be, or never end"),
    ({"quiet_from": "late", "quiet_until": "07:00"}, "Enter a valid time."),
    ({"time_zone": "Mars/Olympus"}, "There is no time zone"),
    ({"time_zone": "../../etc/passwd"}, "There is no time zone"),
    ({"language": "klingon"}, "Select a valid choice."),
    ({"digest": "yearly"}, "Select a valid choice."),
]


@pytest.mark.parametrize(("typed", "said"), WRONG)
def test_what_is_wrong_is_said_and_nothing_of_it_all_is_saved(client, rules, typed, said):
    form = form_of(client.get(OWN))
    form["on"] = []
    answer = client.post(OWN, form | typed | {"action": "save"})
    assert answer.status_code == 200
    assert said in unescape(answer.content.decode())
    assert (opted_out(), Preferences.objects.count()) == ([], 0)
    # What was unticked stays so.
    assert "on" not in form_of(answer)


ZONES = [
    ("berlin", "Europe/Berlin"),
    ("America/new york", "America/New_York"),
    (" Asia/Tokyo ", "Asia/Tokyo"),
    ("", ""),
]


@pytest.mark.parametrize(("typed", "stored"), ZONES)
def test_a_time_zone_is_found_by_what_people_type(client, ada, typed, stored):
    client.post(OWN, {"time_zone": typed, "digest": "hourly", "action": "save"})
    assert Preferences.objects.get(user=ada).time_zone == stored


def test_what_has_come_since_the_page_was_opened_and_what_it_did_not_show_stay_as_they_are(
    client, ada, rules
):
    form = form_of(client.get(OWN))
    news = Category.objects.create(name="news", title="News")
    make_trigger(category=news)
    OptOut.objects.create(
        recipient=f"user:{ada.pk}", category=rules["empty"], channel="email", source="admin"
    )
    client.post(OWN, form | {"on": [], "action": "save"})
    assert ("news", "email", "page") not in opted_out()
    assert ("empty", "email", "admin") in opted_out()
    assert {(None, "email", "page"), (None, "sms", "page"), ("offers", "sms", "page")} <= set(opted_out())


def test_nobody_leaves_what_is_mandatory_or_invents_a_cell(client, rules):
    shown = [f"{rules['security'].pk}:email", f"{rules['offers'].pk}:twitter", "999:email", "x", "0:"]
    client.post(OWN, {"shown": shown, "action": "save"})
    assert opted_out() == []


def test_everything_can_be_stopped_by_one_button_and_one_channel_of_it_had_again(client, ada, rules):
    client.post(OWN, {"action": "stop"})
    assert opted_out() == [(None, "", "page")]
    form = form_of(client.get(OWN))
    assert "0:email" not in form["on"]
    form["on"].append("0:email")
    client.post(OWN, form | {"action": "save"})
    assert (None, "sms", "page") in opted_out()
    assert not {(None, "email", "page"), (None, "", "page")} & set(opted_out())


def test_a_link_leads_to_one_persons_choices_without_a_session_or_a_cookie(ada, rules):
    browser, path = Client(enforce_csrf_checks=True), link_for(f"user:{ada.pk}")
    page = browser.get(path)
    text = page.content.decode()
    assert "l…@e…" in text
    assert "lovelace" not in text.lower()
    form = form_of(page)
    form["on"].remove(f"{rules['offers'].pk}:sms")
    browser.cookies.clear()
    assert browser.post(path, form | {"action": "save"}).status_code == 302
    assert opted_out() == [("offers", "sms", "page")]
    assert browser.get(OWN).status_code == 302


def test_signed_in_the_form_needs_its_csrf_token(ada):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    assert browser.post(OWN, {"action": "stop"}).status_code == 403
    assert opted_out() == []


def test_a_plain_address_chooses_by_category_on_its_own_channel_alone(rules):
    delivery = make_delivery(recipient="address:grace@example.com", address="grace@example.com")
    page = Client().get(link_for(delivery.recipient, delivery.pk))
    form = form_of(page)
    assert form["shown"] == [f"{rules['offers'].pk}:email", "0:email"]
    assert not form.keys() & {"quiet_from", "time_zone", "digest"}
    Client().post(
        link_for(delivery.recipient, delivery.pk),
        {"shown": form["shown"], "on": ["0:email"], "action": "save"},
    )
    assert OptOut.objects.get().recipient == "address:grace@example.com"


BAD = [
    # what stands in the link, the status
    # For something else
    (lambda user: link_tokens.sign("unsubscribe", f"user:{user.pk}", 1, 1, "email"), 404),
    (lambda user: link_tokens.sign("preferences", f"user:{user.pk}", 1)[:-1], 404),
    (lambda user: f"u.{user.pk}", 404),
    (lambda user: link_tokens.sign("preferences", "user:99999", 1), 410),
    (lambda user: link_tokens.sign("preferences", "address:a@example.com", 99999), 410),
]


@pytest.mark.parametrize(("make", "status"), BAD)
def test_a_link_that_is_not_whole_or_of_nobody_opens_nothing(ada, make, status):
    path = f"{OWN}{make(ada)}/"
    assert Client().get(path).status_code == status
    assert Client().post(path, {"action": "stop"}).status_code == status
    assert opted_out() == []


def test_the_page_costs_the_same_statements_however_many_categories(
    client, rules, django_assert_max_num_queries
):
    for number in range(10):
        make_trigger(category=Category.objects.create(name=f"c{number}", title=f"C{number}"))
    with django_assert_max_num_queries(9):
        client.get(OWN)
