"""The deletion of a row that stands in several tables is told once, whichever table a trigger names."""

import pytest
from django.db.models.signals import post_delete

from notifier.events.emit import emit
from tests.stock.models import Author, Page, PageOnSheet, PageProxy, Sheet, SubPage, SubSubPage
from tests.support.builders import make_trigger
from tests.support.observing import recorded

pytestmark = pytest.mark.django_db

VERBS = pytest.mark.parametrize("verb", ["pre_delete", "post_delete"])


def delete_again():
    one = SubPage.objects.create(pk=1, title="a")
    one.delete()
    one.pk = one.page_ptr_id = one.id = 1
    one.save()
    one.delete()


def delete_by_one_queryset_again():
    everything = Page.objects.all()
    for _ in range(2):
        SubPage.objects.create(pk=1, title="a")
        everything.delete()


def with_author(model):
    author = Author.objects.create(name="Ada")
    model.objects.create(title="a", author=author)
    return author


def the_same_row_as_a_proxy():
    SubPage.objects.create(pk=1, title="a")
    PageProxy.objects.get(pk=1).delete()


DELETIONS = [
    # what is deleted, the model that a trigger names → how many events
    (lambda: SubPage.objects.create(title="a").delete(), {"page": 1, "subpage": 1, "subsubpage": 0}),
    (lambda: SubSubPage.objects.create(title="a").delete(), {"page": 1, "subpage": 1, "subsubpage": 1}),
    (lambda: Page.objects.create(title="a").delete(), {"page": 1, "subpage": 0}),
    (lambda: Page.objects.get(pk=SubPage.objects.create(title="a").pk).delete(), {"page": 1, "subpage": 1}),
    (the_same_row_as_a_proxy, {"page": 1, "subpage": 1}),
    (lambda: PageProxy.objects.create(title="a").delete(), {"page": 1, "pageproxy": 1}),
    (lambda: PageOnSheet.objects.create(title="a").delete(), {"page": 1, "sheet": 1, "pageonsheet": 1}),
    (lambda: with_author(Page).delete(), {"page": 1}),
    (lambda: with_author(SubSubPage).delete(), {"page": 1, "subsubpage": 1}),  # by cascade
    (lambda: (with_author(SubPage), Author.objects.all().delete()), {"page": 1, "subpage": 1}),
    (
        lambda: ([SubPage.objects.create(title=each) for each in "abc"], SubPage.objects.all().delete()),
        {"page": 3, "subpage": 3},
    ),
    (
        lambda: ([SubPage.objects.create(title=each) for each in "abc"], Page.objects.all().delete()),
        {"page": 3, "subpage": 3},
    ),
    (
        lambda: (Page.objects.create(), SubPage.objects.create(), Page.objects.all().delete()),
        {"page": 2, "subpage": 1},
    ),
    (delete_again, {"page": 2, "subpage": 2}),
    (delete_by_one_queryset_again, {"page": 2, "subpage": 2}),
]  # fmt: skip


@VERBS
@pytest.mark.parametrize(("act", "expected"), DELETIONS)
def test_a_deletion_is_told_once_to_each_trigger(verb, act, expected):
    triggers = {make_trigger(verb=verb, model=f"stock.{name}"): number for name, number in expected.items()}
    act()
    found = {trigger: trigger.event_set.count() for trigger in triggers}
    assert found == triggers


def test_it_is_the_deletion_of_the_child_as_a_save_is_the_childs():
    for verb in "post_save", "post_delete":
        make_trigger(verb=verb, model="stock.page")
    one = SubPage.objects.create(title="a")
    key = one.pk
    one.delete()
    assert recorded() == [("post_save", f"stock.subpage:{key}"), ("post_delete", f"stock.subpage:{key}")]


@pytest.mark.parametrize("model", [SubPage, SubSubPage, PageProxy, PageOnSheet])
def test_a_save_is_told_once(model):
    for verb in "pre_save", "post_save":
        make_trigger(verb=verb, model="stock.page")
    one = model.objects.create(title="a")
    one.save()
    assert len(recorded()) == 4


def test_what_is_emitted_of_a_deletion_is_told_each_time():
    make_trigger(verb="post_delete", model="stock.page")
    one = SubPage.objects.create(title="a")
    for _ in range(2):
        emit("post_delete", instance=one)
        emit("post_delete", instance=one.page_ptr)
    assert len(recorded()) == 4


def test_a_deletion_that_somebody_sends_without_an_origin_is_told():
    make_trigger(verb="post_delete", model="stock.sheet")
    sheet = Sheet.objects.create()
    post_delete.send(Sheet, instance=sheet, using="default")
    assert recorded() == [("post_delete", f"stock.sheet:{sheet.pk}")]
