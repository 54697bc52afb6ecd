"""The link in a message: what it does, what it does not, and what each odd or hostile request of it gets."""

import re
import time
import timeit
from urllib.parse import quote, unquote

import pytest
from django.core.signing import Signer
from django.test import Client

from notifier.models import Category, Delivery, OptOut, Preferences
from notifier.people import link_tokens, reader_links
from tests.support.builders import make_delivery, make_user
from tests.support.effort import slowness

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

BASE_URL = "https://shop.example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
YES, UNDO = {"action": "unsubscribe"}, {"action": "undo"}


@pytest.fixture(autouse=True)
def _site(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": BASE_URL}


@pytest.fixture
def offers():
    return Category.objects.create(name="offers", title="Offers")


@pytest.fixture
def ada(offers):
    return make_user(username="lovelace", email="lovelace@example.com", first_name="Lovelace")


@pytest.fixture
def browser():
    """As a scanner or a mail program: without a cookie, and with CSRF looked at."""
    return Client(enforce_csrf_checks=True)


def path_for(recipient, category, *, delivery=1, channel="email"):
    key = category.pk if isinstance(category, Category) else category
    links = reader_links.ReaderLinks(["unsubscribe_url"], category=key, channel=channel)
    made = links.of(recipient, delivery)
    return made["unsubscribe_url"].removeprefix(BASE_URL)


def token_of(path):
    return path.rstrip("/").rpartition("/")[2]


def opted_out():
    return sorted(OptOut.objects.values_list("recipient", "category__name", "channel", "source"))


# What the link does


def test_one_click_of_the_mail_program_works_at_once_without_cookies_and_as_often_as_it_comes(
    browser, ada, offers
):
    path = path_for(f"user:{ada.pk}", offers)
    first = browser.post(path, ONE_CLICK)
    since = OptOut.objects.get().created_at
    assert (first.status_code, browser.post(path, ONE_CLICK).status_code) == (200, 200)
    assert opted_out() == [(f"user:{ada.pk}", "offers", "email", "mail")]
    assert OptOut.objects.get().created_at == since
    assert not first.cookies
    assert "You will not get “Offers” by e-mail any more." in first.content.decode()


def test_one_click_also_comes_as_a_form_of_several_parts(browser, ada, offers):
    """https://www.rfc-editor.org/rfc/rfc8058#section-3.2"""
    body = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    path = path_for(f"user:{ada.pk}", offers)
    assert browser.post(path, body, content_type="multipart/form-data; boundary=x").status_code == 200
    assert len(opted_out()) == 1


def test_the_form_stops_it_undo_takes_that_back_and_the_page_leads_to_the_preferences(browser, ada, offers):
    path = path_for(f"user:{ada.pk}", offers)
    assert "Do you want to stop getting “Offers” by e-mail?" in browser.get(path).content.decode()
    page = browser.post(path, YES).content.decode()
    assert opted_out() == [(f"user:{ada.pk}", "offers", "email", "link")]
    preferences = re.search(r'href="(/notifications/preferences/[^"]+)"', page)[1]
    assert browser.get(preferences).status_code == 200
    assert "You get “Offers” by e-mail again." in browser.post(path, UNDO).content.decode()
    assert opted_out() == []
    browser.post(path, ONE_CLICK)
    assert len(opted_out()) == 1


def test_an_undo_says_what_else_keeps_it_away(browser, ada, offers):
    OptOut.objects.create(recipient=f"user:{ada.pk}", source="page")
    path = path_for(f"user:{ada.pk}", offers)
    browser.post(path, YES)
    page = browser.post(path, UNDO).content.decode()
    assert "nothing comes yet, as you have also chosen: Nothing" in page
    assert opted_out() == [(f"user:{ada.pk}", None, "", "page")]


def test_a_message_without_a_category_is_left_by_leaving_everything_on_its_channel(browser, ada):
    Category.objects.create(name="security", title="Security", mandatory=True)
    page = browser.post(path_for(f"user:{ada.pk}", 0), ONE_CLICK).content.decode()
    assert opted_out() == [(f"user:{ada.pk}", None, "email", "mail")]
    assert "Always on: Security." in page


# What nobody may get by it. Each row is (name, request, status, what is stored afterwards).


def post(path, data=ONE_CLICK, **options):
    return lambda browser: browser.post(path, data, **options)


def token_attacks(recipient, offers, ada):
    """``(what is tried, the token)`` of those that must all be refused as no link of ours."""
    good = token_of(path_for(recipient, offers))
    value, _dot, signature = good.rpartition(".")
    kind, key, category, channel = value.split(".")
    return [
        ("an empty signature", f"{value}."),
        ("no signature", value),
        ("the signature alone", signature),
        ("cut by one", good[:-1]),
        ("cut in the middle", good[: len(good) // 2]),
        ("extended by one", f"{good}A"),
        ("extended by a dot", f"{good}."),
        ("twice", good + good),
        ("the signature in upper case", f"{value}.{signature.upper()}"),
        ("the channel in upper case", f"{kind}.{key}.{category}.{channel.upper()}.{signature}"),
        ("another user", f"{kind}.{int(key) + 1}.{category}.{channel}.{signature}"),
        ("another category", f"{kind}.{key}.{int(category) + 1}.{channel}.{signature}"),
        ("everything instead of a category", f"{kind}.{key}.0.{channel}.{signature}"),
        ("another channel", f"{kind}.{key}.{category}.sms.{signature}"),
        (
            "key and category swapped",
            f"{kind}.{category}.{key}.{channel}.{signature}" if key != category else "u.0.0.x.y",
        ),
        ("another kind", f"d.{key}.{category}.{channel}.{signature}"),
        ("a link to preferences", link_tokens.sign("preferences", recipient, 1)),
        ("signed with another salt", Signer(salt="notifier.other", sep=".").sign(value)),
        ("signed with Django's own salt", Signer(sep=".").sign(value)),
        ("signed with another key", Signer(key="guessed", salt="notifier.unsubscribe", sep=".").sign(value)),
        ("another separator", good.replace(".", ":")),
        ("blanks around it", f" {good} "),
        ("a null character", f"{good}\0"),
        ("lines", f"{good}\r\nX: y"),
        ("letters of another script", good.replace(".", "．")),
        ("a backslash", f"{good}\\"),
        ("oversized", good + "A" * 5000),
        ("an id of a row", "1"),
        ("an address", "ada@example.com"),
        ("SQL", "' OR 1=1 --"),
        ("a path", "..%2f..%2fadmin"),
    ]


def test_a_token_that_was_not_signed_for_this_is_refused_and_changes_nothing(browser, ada, offers):
    recipient = f"user:{ada.pk}"
    tried = token_attacks(recipient, offers, ada)
    assert len(tried) >= 30
    for what, token in tried:
        path = f"/notifications/unsubscribe/{quote(token, safe='%')}/"
        for answer in browser.post(path, ONE_CLICK), browser.get(path):
            assert answer.status_code == 404, what
        assert opted_out() == [], what


def requests(path, offers):
    """``(what happens, request, status, whether it is stored)`` for a good link."""
    return [
        ("a scanner follows it", lambda browser: browser.get(path), 200, False),
        ("a mail program asks for its head", lambda browser: browser.head(path), 200, False),
        ("a browser fetches it ahead", lambda browser: browser.get(path,
         headers={"sec-purpose": "prefetch"}), 200, False),
        ("what it should do, in the address",
         lambda browser: browser.get(f"{path}?List-Unsubscribe=One-Click"), 200, False),
        ("a POST with it in the address", post(f"{path}?List-Unsubscribe=One-Click", {}), 400, False),
        ("PUT", lambda browser: browser.put(path, ONE_CLICK), 405, False),
        ("DELETE", lambda browser: browser.delete(path), 405, False),
        ("PATCH", lambda browser: browser.patch(path), 405, False),
        ("OPTIONS", lambda browser: browser.options(path), 405, False),
        ("an empty body", post(path, {}), 400, False),
        ("another word", post(path, {"List-Unsubscribe": "Two-Clicks"}), 400, False),
        ("the word in lower case", post(path, {"list-unsubscribe": "one-click"}), 400, False),
        ("JSON", post(path, ONE_CLICK, content_type="application/json"), 400, False),
        ("text", post(path, "List-Unsubscribe=One-Click", content_type="text/plain"), 400, False),
        ("an oversized body", post(path, {"List-Unsubscribe": "x" * 3_000_000}), 400, False),
        ("the word and more", post(path, ONE_CLICK | {"action": "undo", "x": "y"}), 200, True),
        ("the address encoded", post(quote(unquote(path), safe="/").replace(".", "%2E")), 200, True),
        ("from another site", post(path, headers={"origin": "https://evil.example"}), 200, True),
        ("the form, without a cookie", post(path, YES), 200, True),
        ("twice", lambda browser: [browser.post(path, ONE_CLICK), browser.post(path, ONE_CLICK)][1], 200,
         True),
        ("by form, then by mail", lambda browser: [browser.post(path, YES), browser.post(path,
         ONE_CLICK)][1], 200, True),
        ("an undo of nothing", post(path, UNDO), 200, False),
        ("an undo afterwards", lambda browser: [browser.post(path, ONE_CLICK), browser.post(path,
         UNDO)][1], 200, False),
        (
            "once more after an undo",
            lambda browser: [browser.post(path, each) for each in (ONE_CLICK, UNDO, ONE_CLICK)][-1],
            200,
            True,
        ),
    ]  # fmt: skip


def test_only_a_persons_own_post_changes_anything(browser, ada, offers):
    path = path_for(f"user:{ada.pk}", offers)
    for what, ask, status, stored in requests(path, offers):
        answer = ask(browser)
        assert (answer.status_code, bool(opted_out())) == (status, stored), what
        OptOut.objects.all().delete()


# What has changed since the message was sent


def test_a_link_works_after_the_secret_was_changed_as_long_as_the_old_one_is_a_fallback(
    browser, ada, offers, settings
):
    path, old = path_for(f"user:{ada.pk}", offers), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [old]
    assert browser.post(path, ONE_CLICK).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert browser.post(path, ONE_CLICK).status_code == 404
    assert len(opted_out()) == 1


def test_the_link_of_a_deleted_account_says_so_and_stores_nothing(browser, ada, offers):
    path = path_for(f"user:{ada.pk}", offers)
    ada.delete()
    answer = browser.post(path, ONE_CLICK)
    assert (answer.status_code, opted_out()) == (410, [])
    assert "has been deleted" in answer.content.decode()


def test_the_link_of_a_deleted_category_says_that_nothing_of_it_is_sent(browser, ada, offers):
    path = path_for(f"user:{ada.pk}", offers)
    offers.delete()
    answer = browser.post(path, ONE_CLICK)
    assert (answer.status_code, opted_out()) == (200, [])
    assert "not sent any more" in answer.content.decode()


def test_a_category_that_has_become_mandatory_cannot_be_left_and_says_why(browser, ada, offers):
    path = path_for(f"user:{ada.pk}", offers)
    Category.objects.update(mandatory=True)
    for answer in browser.post(path, ONE_CLICK), browser.get(path):
        assert (answer.status_code, opted_out()) == (403, [])
        assert "always on" in answer.content.decode()


def test_an_inactive_account_can_still_opt_out(browser, ada, offers):
    ada.is_active = False
    ada.save()
    assert browser.post(path_for(f"user:{ada.pk}", offers), ONE_CLICK).status_code == 200
    assert len(opted_out()) == 1


# Plain addresses


def test_an_address_stands_in_no_link_and_works_as_long_as_its_delivery_is_there(browser, offers):
    delivery = make_delivery(recipient="address:grace@example.com", address="grace@example.com")
    path = path_for(delivery.recipient, offers, delivery=delivery.pk)
    assert "grace" not in unquote(path)
    page = browser.get(path).content.decode()
    assert "grace" not in page
    assert "g…@e…" in page
    browser.post(path, ONE_CLICK)
    assert opted_out() == [("address:grace@example.com", "offers", "email", "mail")]
    Delivery.objects.all().delete()
    gone = browser.post(path, ONE_CLICK)
    assert gone.status_code == 410
    assert "use the link in a newer message" in gone.content.decode()


@pytest.mark.parametrize("recipient", ["address:", "address: ", ""])
def test_a_delivery_whose_address_was_purged_is_too_old(browser, offers, recipient):
    delivery = make_delivery(recipient=recipient.strip(), address="")
    path = path_for("address:grace@example.com", offers, delivery=delivery.pk)
    assert browser.post(path, ONE_CLICK).status_code == 410
    assert opted_out() == []


KEYS = [
    # a user's primary key, whether it stands in the link
    ("5", True),
    ("3f2b8c1e-0a1b-4c2d-8e3f-123456789abc", True),
    ("ada@example.com", False),
    ("ada", False),
    ("5.0.sms", False),
    ("５", False),
    ("", False),
]


@pytest.mark.parametrize(("key", "stands_there"), KEYS)
def test_a_key_that_may_tell_who_somebody_is_stands_in_no_link(key, stands_there):
    token = link_tokens.sign("unsubscribe", f"user:{key}", 77, 1, "email")
    kind, shown, *_ = link_tokens.read("unsubscribe", token)
    assert (kind, shown) == (("u", key) if stands_there else ("d", "77"))


# The pages themselves


def test_a_link_shows_no_name_signs_nobody_in_and_is_kept_by_no_cache(browser, ada, offers):
    for path in (
        path_for(f"user:{ada.pk}", offers),
        f"/notifications/preferences/{link_tokens.sign('preferences', f'user:{ada.pk}', 1)}/",
    ):
        answer = browser.get(path)
        text = answer.content.decode()
        assert "lovelace" not in text.lower()
        assert "sessionid" not in answer.cookies
        assert "no-store" in answer["Cache-Control"]
        assert (answer["X-Robots-Tag"], answer["Referrer-Policy"]) == ("noindex", "no-referrer")
    assert browser.get("/notifications/preferences/").status_code == 302


@pytest.mark.parametrize("page", ["unsubscribe", "preferences"])
def test_a_samples_link_says_that_it_is_one_and_does_nothing(browser, page):
    path = f"/notifications/{page}/{reader_links.SAMPLE}/"
    for answer in browser.get(path), browser.post(path, ONE_CLICK):
        assert answer.status_code == 200
        assert "This is a sample" in answer.content.decode()
    assert not OptOut.objects.exists()
    assert not Preferences.objects.exists()


def test_two_links_cost_a_person_some_25_microseconds(offers):
    links = reader_links.ReaderLinks(reader_links.LINKS, category=offers.pk, channel="email")

    def sign():
        links.of("user:123456", 987654)

    sign()
    # The quickest of nine: what else a process does now and then is not counted.
    seconds = min(timeit.repeat(sign, number=200, repeat=9, timer=time.process_time)) / 200 / slowness()
    assert seconds < 60e-6  # measured: 25


def test_a_token_is_djangos_own(offers):
    token = link_tokens.sign("unsubscribe", "user:5", 1, 3, "email")
    assert token == Signer(salt="notifier.unsubscribe", sep=".").sign("u.5.3.email")
