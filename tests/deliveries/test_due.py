"""What is due is found by its index, lane by lane, however many of the others are due as well."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifier.deliveries import fanout, queueing
from notifier.deliveries.claims import claim_deliveries
from notifier.models import Delivery, Event, Lane
from tests.support.builders import make_delivery, make_event
from tests.support.sizes import full_or

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
DOUBLINGS = full_or(13, full=17)


def double(model, unlike):
    """Twice as many rows, of which the new ones differ in the column ``unlike`` alone."""
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    table, names = model._meta.db_table, ", ".join(f'"{name}"' for name in columns)
    for number in range(DOUBLINGS):
        values = names.replace(f'"{unlike}"', f"\"{unlike}\" || '-{number}'")
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE lane = 2")
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")


def plans_of(found):
    """The words in which the database says how it finds the rows of each statement that asks what is due."""
    plans = []
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        for statement in found:
            if statement.startswith("SELECT") and '"due_at" <=' in statement and "LIMIT" in statement:
                cursor.execute(f"{explain} {statement}")
                plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
    return plans


TAKERS = [
    (Delivery, "recipient", queueing.take_due),
    (Event, "key", fanout.take_due),
]


@pytest.mark.parametrize(("model", "unlike", "take"), TAKERS)
def test_a_hundred_thousand_of_bulk_keep_no_urgent_one_waiting(model, unlike, take):
    make = {Delivery: make_delivery, Event: make_event}[model]
    longest = timezone.now() - HOUR
    event = make_event(lane=Lane.BULK, due_at=longest, key="first")
    if model is Delivery:
        make_delivery(event=event, lane=Lane.BULK, due_at=longest)
    double(model, unlike)
    urgent = make(lane=Lane.URGENT, due_at=timezone.now())
    with CaptureQueriesContext(connection) as found:
        taken = take(10)
    assert taken[0] in (urgent.pk, (getattr(urgent, "channel", ""), urgent.pk))
    assert len(taken) == 10
    plans = plans_of(query["sql"] for query in found)
    assert len(plans) == len(Lane)
    for plan in plans:
        assert f"notifier_{model._meta.model_name}_due_by_lane" in plan, plan
        assert not {"Sort", "B-TREE"} & set(plan.split()), plan


def test_the_urgent_are_claimed_first():
    made = [make_delivery(lane=lane) for lane in (Lane.BULK, Lane.NORMAL, Lane.URGENT, Lane.BULK)]
    works = claim_deliveries([each.pk for each in made], channel="email", lease_seconds=60)
    assert [work.pk for work in works] == [made[position].pk for position in (2, 1, 0, 3)]
    assert [work.lane for work in works] == [Lane.URGENT, Lane.NORMAL, Lane.BULK, Lane.BULK]
