"""Lanes as files of rules and code say them: by a word, from and to a column of numbers."""

import pytest

from notifier import notify_on
from notifier.exceptions import RulesFileRefused
from notifier.models import Category, Lane, Trigger
from notifier.rulefiles import declared, texts
from notifier.rules import declarations
from project.demo.models import Post
from tests.support.declaring import only_declared

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

FILE = """\
version: 1
categories:
  offers:
    title: Offers
    lane: bulk
  orders:
    title: Orders
triggers:
  Order placed:
    signal: post_save
    model: demo.post
    category: orders
  Password reset:
    signal: post_save
    model: demo.post
    lane: urgent
"""
# a line of the file, instead of, the column's new value, what is said to change
CHANGES = [
    ("lane: bulk", "lane: urgent", ("lane", "bulk", "urgent")),
    ("    lane: bulk\n", "", ("lane", "bulk", "normal")),  # left out, it is normal
    ("lane: urgent", "lane: normal", ("lane", "urgent", "normal")),
    ("    lane: urgent\n", "", ("lane", "urgent", "")),  # left out, it is its category's
    ("    title: Orders\n", "    title: Orders\n    lane: urgent\n", ("lane", "normal", "urgent")),
]
WRONG = ["fast", "0", "[urgent]", "true", "Urgent"]


def test_what_is_imported_is_exported_again():
    texts.import_text(FILE)
    assert dict(Category.objects.values_list("name", "lane")) == {"offers": Lane.BULK, "orders": Lane.NORMAL}
    assert dict(Trigger.objects.values_list("name", "lane")) == {
        "Order placed": None,
        "Password reset": Lane.URGENT,
    }
    assert texts.export_text().split("\n\n", 1)[1].replace("\n\n", "\n") == FILE
    assert texts.import_text(texts.export_text()) == []


@pytest.mark.parametrize(("old", "new", "changed"), CHANGES)
def test_a_change_is_said_in_words_and_made_once(old, new, changed):
    texts.import_text(FILE)
    assert old in FILE
    (change,) = texts.import_text(FILE.replace(old, new, 1))
    assert change.fields == (changed,)
    assert texts.import_text(FILE.replace(old, new, 1)) == []


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("lane", ["bulk", "urgent"])
def test_no_lane_is_refused_with_its_line_and_the_lanes_that_there_are(lane, wrong):
    text = FILE.replace(f"lane: {lane}", f"lane: {wrong}")
    with pytest.raises(RulesFileRefused, match=r"line \d+: .* › lane: This is one of urgent, normal, bulk\."):
        texts.import_text(text)
    assert not Category.objects.exists()


def test_code_says_it_by_the_same_word():
    audience, contents = {"everyone": True}, {"email": {"subject": "Hi", "text": "Hi"}}
    rule = {"channels": "email", "audience": audience, "contents": contents}
    with only_declared():
        notify_on("post_save", key="reset", lane="urgent", **rule)(Post)
        notify_on("post_save", key="wrong", lane="soon", **rule)(Post)
        assert declared.problem_in_code(declarations.get("reset")) == ""
        assert "This is one of urgent, normal, bulk." in declared.problem_in_code(declarations.get("wrong"))
        declared.keep_declared()
    assert dict(Trigger.objects.values_list("name", "lane")) == {"reset": Lane.URGENT}
