"""Lanes in the admin: chosen by people, said in words wherever something is shown or foreseen."""

import re

import pytest

from notifier.deliveries import test_sends
from notifier.explaining import summaries
from notifier.models import Category, ContentVersion, Delivery, Event, Lane, Trigger
from tests.admin.browser import errors_in, saved, submit, text_of
from tests.support.builders import make_delivery, make_event, make_people, make_trigger, make_user
from tests.support.flowing import make_category

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


def test_a_category_gets_its_lane_and_the_list_shows_it(admin_client):
    codes = {"title": "Codes", "name": "codes", "lane": "0"}
    assert saved(submit(admin_client, "/admin/notifier/category/add/", codes))
    assert Category.objects.get().lane == Lane.URGENT
    assert "urgent" in text_of(admin_client.get("/admin/notifier/category/"))
    assert "bulk by itself" in text_of(admin_client.get("/admin/notifier/category/add/"))


CHOICES = [("", None), ("0", Lane.URGENT), ("1", Lane.NORMAL), ("2", Lane.BULK)]


@pytest.mark.parametrize(("chosen", "lane"), CHOICES)
def test_a_trigger_has_one_of_its_own_or_its_categorys(admin_client, chosen, lane):
    trigger = make_trigger(lane=Lane.BULK if chosen == "" else None)
    page = f"/admin/notifier/trigger/{trigger.pk}/change/"
    assert "as its category has it" in text_of(admin_client.get(page))
    assert saved(submit(admin_client, page, {"lane": chosen}))
    trigger.refresh_from_db()
    assert trigger.lane == lane


@pytest.mark.parametrize("wrong", ["3", "-1", "urgent", "0.5"])
def test_no_lane_is_refused_at_its_field(admin_client, wrong):
    trigger = make_trigger(lane=Lane.BULK)
    answer = submit(admin_client, f"/admin/notifier/trigger/{trigger.pk}/change/", {"lane": wrong})
    assert "valid choice" in str(errors_in(answer))
    assert Trigger.objects.get().lane == Lane.BULK


# the trigger's, its category's, a part of the sentence
SENTENCES = [
    (None, None, None),
    (Lane.URGENT, None, "It is urgent, and goes before all others."),
    (None, Lane.URGENT, "It is urgent"),
    (Lane.NORMAL, Lane.BULK, None),
    (Lane.BULK, Lane.URGENT, "It is bulk: all others go before it."),
]


@pytest.mark.parametrize(("own", "of_category", "words"), SENTENCES)
def test_the_sentence_about_a_rule_says_it(own, of_category, words):
    category = None if of_category is None else make_category(lane=of_category)
    found = summaries.describe_trigger(make_trigger(lane=own, category=category))
    assert words in found if words else not {"urgent", "bulk"} & set(found.replace(",", " ").split())


@pytest.mark.parametrize(
    ("lane", "words"),
    [(Lane.URGENT, "urgent it goes before"), (Lane.NORMAL, "normal"), (Lane.BULK, "bulk all others go")],
)
def test_the_pages_of_an_event_and_of_a_delivery_say_it(admin_client, lane, words):
    event = make_event(lane=lane)
    delivery = make_delivery(event=event, lane=lane)
    for page in (f"event/{event.pk}", f"delivery/{delivery.pk}"):
        shown = re.sub("<[^>]+>", " ", text_of(admin_client.get(f"/admin/notifier/{page}/change/")))
        assert f"lane {words}" in " ".join(shown.split()).lower()


def test_who_is_asked_before_many_people_is_told_that_they_go_as_bulk(admin_client, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"CONFIRM_ABOVE": 5}
    make_people(6)
    trigger = make_trigger(enabled=False, audiences=None, lane=Lane.URGENT)
    answer = submit(admin_client, f"/admin/notifier/trigger/{trigger.pk}/change/", {"enabled": "on"})
    assert "So many go as bulk, by itself" in text_of(answer)


def test_a_test_that_somebody_sends_to_themselves_is_urgent():
    delivery = make_delivery()
    sent = test_sends.queue_test(
        make_user(), channel="email", address="ada@example.com", language="", data={}, about="",
        version=ContentVersion.objects.get(pk=delivery.version_id),
    )  # fmt: skip
    assert (Delivery.objects.get(pk=sent.pk).lane, Event.objects.get(pk=sent.event_id).lane) == (
        Lane.URGENT,
        Lane.URGENT,
    )
