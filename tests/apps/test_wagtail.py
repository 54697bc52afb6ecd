"""Wagtail: a page is drafted, and published."""

import pytest
from wagtail.models import Locale, Page

from notifier.testing import capture_notifications
from tests.apps.shop.models import Article

APP = "Wagtail"


@pytest.fixture
def root(db):
    # The migrations of Wagtail, which make both, are not run here.
    Locale.objects.create(language_code="en")
    return Page.add_root(instance=Page(title="Root", slug="root"))


def test_what_is_published_is_told_and_a_draft_is_not(recipe, root, make_user):
    ed = make_user("ed", group="Editors")
    article = root.add_child(
        instance=Article(title="Linen", slug="linen", live=False, owner=make_user("ada"))
    )

    with capture_notifications() as drafted:
        article.title = "Linen, washed"
        revision = article.save_revision()
    with capture_notifications() as published:
        revision.publish()

    assert list(drafted) == []
    assert [(m.subject, m.text, m.is_to(ed)) for m in published] == [
        ("Linen, washed is published", "ada wrote Linen, washed.", True)
    ]
