"""An event has its trigger's lane, else its category's, else the normal one: as it was when it happened."""

import pytest

from notifier.events.emit import emit, emit_bulk
from notifier.models import Category, Event, Lane
from project.demo.models import Post
from tests.support.builders import make_trigger
from tests.support.flowing import make_category
from tests.support.statements import statements

pytestmark = pytest.mark.django_db

URGENT, NORMAL, BULK = Lane.URGENT, Lane.NORMAL, Lane.BULK
LANES = [
    # the trigger's, its category's (… where it has none), the event's
    (None, ..., NORMAL),
    (None, NORMAL, NORMAL),
    (None, URGENT, URGENT),
    (None, BULK, BULK),
    (URGENT, ..., URGENT),  # which is 0
    (URGENT, BULK, URGENT),
    (NORMAL, BULK, NORMAL),
    (BULK, URGENT, BULK),
]


def by_a_save():
    Post.objects.create(title="Linen")


def by_emit():
    emit("post_save", instance=Post.objects.bulk_create([Post(title="Linen")])[0], created=True)


def by_emit_with_a_key():
    post = Post.objects.bulk_create([Post(title="Linen")])[0]
    emit("post_save", instance=post, created=True, key="once")


def by_emit_bulk():
    emit_bulk(Post.objects.bulk_create(Post(title=title) for title in "ab"), created=True)


@pytest.mark.parametrize(("own", "of_category", "expected"), LANES)
@pytest.mark.parametrize("act", [by_a_save, by_emit, by_emit_with_a_key, by_emit_bulk])
def test_an_event_has_the_lane_of_its_trigger_or_of_its_category(act, own, of_category, expected):
    make_trigger(lane=own, category=None if of_category is ... else make_category(lane=of_category))
    act()
    assert set(Event.objects.values_list("lane", flat=True)) == {expected}


def test_one_that_failed_has_it_too(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"MIDDLEWARE": ["tests.support.middleware.spoil"]}
    make_trigger(name="deep", lane=BULK)
    by_a_save()
    assert list(Event.objects.values_list("status", "lane")) == [("failed", BULK)]


def saved(category):
    category.lane = URGENT
    category.save()


def updated(category):
    Category.objects.update(lane=URGENT)


@pytest.mark.parametrize("change", [saved, updated])
def test_a_change_of_a_category_counts_at_once_and_a_save_asks_for_nothing(change):
    category = make_category(lane=BULK)
    make_trigger(category=category)
    by_a_save()
    change(category)
    with statements() as found:
        by_a_save()
    assert not any(each.startswith("SELECT") for each in found)
    assert list(Event.objects.order_by("pk").values_list("lane", flat=True)) == [BULK, URGENT]
