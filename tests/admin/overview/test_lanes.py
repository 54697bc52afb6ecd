"""The overview says how soon each lane is sent, and marks an urgent one that is late."""

import re

import pytest
from django.utils import timezone

from notifier.models import Lane, LaneCount
from notifier.models.counts import hour_of
from tests.admin.browser import text_of
from tests.support.builders import make_delivery

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


def counted(lane, within, number):
    now = hour_of(timezone.now())
    LaneCount.objects.create(hour=now, lane=lane, within_seconds=within, number=number)


def section(client):
    make_delivery()
    found = text_of(client.get("/admin/notifier/overview/"))
    return found[found.index("How soon it is sent") :].partition("</section>")[0]


def rows(html):
    cells = [re.sub("<[^>]+>", " ", row) for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)]
    return [" ".join(row.split()) for row in cells[1:]]


def test_each_lane_has_its_line(admin_client):
    counted(Lane.URGENT, 1, 80)
    counted(Lane.URGENT, 60, 20)
    counted(Lane.BULK, 7200, 1)
    found = section(admin_client)
    assert rows(found) == ["Urgent 100 1 second a minute", "Normal 0 – –", "Bulk 1 2 hours 2 hours"]
    assert "overview-bad" not in found


@pytest.mark.parametrize(("lane", "is_bad"), [(Lane.URGENT, True), (Lane.NORMAL, False), (Lane.BULK, False)])
def test_only_an_urgent_one_that_took_more_than_a_minute_is_marked(admin_client, lane, is_bad):
    counted(lane, 1, 94)
    counted(lane, 120, 6)
    assert ("overview-bad" in section(admin_client)) == is_bad
