"""The inbox as a page, which needs no JavaScript; and in the admin, where it is only looked at."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from notifier.inbox import items
from notifier.models import InboxItem
from tests.support.builders import make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]
PAGE = "/notifications/"


@pytest.fixture
def ada(client):
    user = make_user()
    client.force_login(user)
    return user


def test_the_page_lists_ones_own_items_newest_first_and_pages_on(client, ada):
    for number in range(25):
        items.add_item(ada.pk, title=f"Item {number:02}", text="<b>text</b>", link="/orders/5/")
    items.add_item(make_user().pk, title="Foreign")
    answer = client.get(PAGE)
    page = answer.content.decode()
    assert page.index("Item 24") < page.index("Item 05")
    assert "Item 04" not in page
    assert "Foreign" not in page
    assert "&lt;b&gt;text" in page
    older = client.get(f"{PAGE}?cursor={answer.context['next']}").content.decode()
    assert "Item 04" in older
    assert "Item 05" not in older


TEXTS = [
    # title, text, what stands as the heading, what below it
    ("Title", "One\nTwo", "Title", "One\nTwo"),
    ("", "One\nTwo", "One", "Two"),
    ("", "One", "One", ""),
    ("", "x" * 101, "x" * 99 + "…", "x" * 101),  # cut above, so whole below
]


@pytest.mark.parametrize(("title", "text", "heading", "body"), TEXTS)
def test_an_item_without_a_title_has_its_first_line_as_one(title, text, heading, body):
    item = InboxItem(title=title, text=text)
    assert (item.heading, item.body) == (heading, body)


ACTIONS = [
    # the button, how many are unread then, how many are listed
    ("read", 1, 2),
    ("archive", 1, 1),
]


@pytest.mark.parametrize(("action", "unread", "listed"), ACTIONS)
def test_buttons_do_what_they_say_and_lead_back(client, ada, action, unread, listed):
    first, _second = (items.add_item(ada.pk, title=title) for title in "ab")
    answer = client.post(f"{PAGE}?unread=1", {action: first.pk})
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?unread=1")
    shown = client.get(PAGE).context
    assert (shown["unread"], len(shown["items"])) == (unread, listed)


def test_all_are_read_up_to_what_the_page_showed(client, ada):
    items.add_item(ada.pk, title="a")
    number = client.get(PAGE).context["sequence"]
    items.add_item(ada.pk, title="b")
    client.post(PAGE, {"read_all": number})
    assert client.get(PAGE).context["unread"] == 1


def test_another_persons_item_stays_and_nonsense_is_refused(client, ada):
    foreign = items.add_item(make_user().pk, title="Foreign")
    client.post(PAGE, {"read": foreign.pk, "archive": foreign.pk})
    assert InboxItem.objects.filter(pk=foreign.pk, read_at=None, archived_at=None).exists()
    assert client.post(PAGE, {"read": "x"}).status_code == 400
    assert client.get(f"{PAGE}?cursor=x")["Location"] == PAGE


def test_who_is_not_signed_in_is_sent_to_do_so_and_a_form_needs_its_token(client, ada):
    assert Client().get(PAGE)["Location"] == f"/admin/login/?next={PAGE}"
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(PAGE, {"read_all": 1}).status_code == 403


@pytest.mark.parametrize("may_see", [True, False])
def test_the_admin_shows_items_to_those_who_may_see_recipients_and_changes_none(client, may_see):
    staff = make_user(is_staff=True)
    names = ["view_inboxitem", *(["view_recipients"] if may_see else [])]
    staff.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(staff)
    item = items.add_item(
        make_user(username="grace").pk,
        title="Secret",
        text="Of hers",
        link="/orders/5/",
        about="shop.order:5",
    )
    for address in ("", f"{item.pk}/change/", "?q=grace", "?q=Secret"):
        page = client.get(f"/admin/notifier/inboxitem/{address}").content.decode()
        shown = (
            page.replace("q=Secret", "")
            .replace('value="Secret"', "")
            .replace("q=grace", "")
            .replace('value="grace"', "")
        )
        assert ("grace" in shown, "Secret" in shown) == (may_see, may_see), address
    assert client.post(f"/admin/notifier/inboxitem/{item.pk}/change/", {"title": "x"}).status_code == 403
    assert client.post(f"/admin/notifier/inboxitem/{item.pk}/delete/", {"post": "yes"}).status_code == 403
