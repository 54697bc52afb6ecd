"""With very many deliveries no page reads them all: PostgreSQL's own plan of every statement that a page
runs.

Here with 60,000 rows, from which its planner goes by indexes; ``make bench`` does the same with a million.
"""

import pytest
from django.db import connection

from notifier import models
from notifier.admin import reading
from notifier.admin.outcomes.deliveries import DeliveryAdmin
from notifier.models import Delivery, HourlyCount
from tests.bench import million, paging

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="It is about PostgreSQL's plans."),
]

ROWS = 60_000
# Session, user and permissions, the bell, the counted total, the rows and what they name; on the overview
# each of its panels.
MOST_STATEMENTS = 13
# One event's or delivery's page also tells of its rule, audiences, template, attempts, what came back, and
# pauses. A search asks each place where addresses are; the overview also lists what sent most, how soon,
# what a provider has closed, and what an account has used up.
MOST_STATEMENTS_ON_ITS_PAGE = {"an event": 23, "a delivery": 20}
MOST_STATEMENTS_OF_A_SEARCH, MOST_STATEMENTS_OF_THE_OVERVIEW = 15, 17


def most_statements(name):
    if name.startswith("overview"):
        return MOST_STATEMENTS_OF_THE_OVERVIEW
    if name.startswith("deliveries, search"):
        return MOST_STATEMENTS_OF_A_SEARCH
    return MOST_STATEMENTS_ON_ITS_PAGE.get(name, MOST_STATEMENTS)


@pytest.fixture
def many(monkeypatch):
    # In proportion: of a million, a tenth is searched.
    monkeypatch.setattr(reading, "MOST_SEARCHED", ROWS // 10)
    # Showing rows takes longest, and is not what is looked at.
    monkeypatch.setattr(DeliveryAdmin, "list_per_page", 10)
    million.seed(ROWS)
    return paging.sign_in()


def test_no_page_reads_all_deliveries_and_each_takes_few_statements(many):
    looks = {name: paging.look(many, path) for name, path in paging.pages().items()}
    assert {name: look.scanning for name, look in looks.items() if look.scanning} == {}
    most = {name: most_statements(name) for name in looks}
    assert {
        name: len(look.statements) for name, look in looks.items() if len(look.statements) > most[name]
    } == {}
    assert models.counts.counted_at() is not None
    assert (
        sum(HourlyCount.objects.values_list("number", flat=True))
        == Delivery.objects.exclude(finished_at=None).count()
    )
    # The look would say nothing if it could not see a scan.
    assert paging.scans(f"SELECT * FROM {Delivery._meta.db_table} WHERE detail = ''")
