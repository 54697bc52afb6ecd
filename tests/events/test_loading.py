"""The rules are read in a few statements that do not grow with them, in every process after every change."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifier.events.loading import load_triggers
from tests.support.builders import make_trigger
from tests.support.flowing import make_category

pytestmark = pytest.mark.django_db


def test_many_rules_are_read_as_one_is_and_without_their_texts():
    contents = {"email": {"text": "A text of some length."}, "sms": {"text": "Short."}}
    for number in (1, 5):
        for _ in range(number):
            make_trigger(contents=contents, channels=["email", "sms"], category=make_category())
        with CaptureQueriesContext(connection) as captured:
            found = load_triggers()
        assert {tuple(trigger.plan[0]["contents"]) for trigger in found} == {("email", "sms")}
        assert len(captured) == 5
        assert [
            query["sql"] for query in captured if '"html"' in query["sql"] or '"whole_text"' in query["sql"]
        ] == []
