"""Deliveries as the fan-out writes them, beside the database's own way to write the same rows."""

from django.db import connection, transaction

from notifier.models import Delivery, Event
from notifier.queue.ring import Ring
from tests.support.functions import invoke

from . import letter
from .rounds import best

PAGE_SIZE = 1000


def measure(wire, subscription, *, people, rounds):
    """A row of the fan-out's function and a bare one: name → Took. The deliveries stay, and wait."""
    sources = []

    def fan_out():
        letter.save_sale()
        event = Event.objects.latest("pk")
        sources.append(event.pk)
        assert invoke("fanout", Ring(route="fanout", ids=(event.pk,)).body()) == []

    def insert():
        copy_rows(sources[-1], letter.silent_event(sources[-1]))

    letter.enable(subscription.trigger)
    took = best({"fanout": (fan_out, people), "insert": (insert, people)}, rounds=rounds)
    assert Delivery.objects.filter(status="queued").count() == 2 * rounds * people
    letter.enable()
    wire.forget()
    return took


def copy_rows(source, target):
    """Write for ``target``, an event's key, the rows that ``source`` has, without looking at them.

    A statement a page of the users. What is not a person's own is as in one row that is there.
    """
    names = [field.column for field in Delivery._meta.concrete_fields if not field.primary_key]
    values = {"event_id": "%s", "recipient": "'user:' || people.id", "address": "people.email"}
    statement = f"""
        INSERT INTO {Delivery._meta.db_table} ({", ".join(names)})
        SELECT {", ".join(values.get(name, f"one.{name}") for name in names)}
        FROM auth_user AS people, {Delivery._meta.db_table} AS one
        WHERE people.id > %s AND people.id <= %s AND people.is_active AND one.id = %s
    """
    example = Delivery.objects.filter(event=source).earliest("pk").pk
    after = 0
    with connection.cursor() as cursor:
        while last := _last_of_page(cursor, after):
            with transaction.atomic():
                cursor.execute(statement, [target, after, last, example])
            after = last


def _last_of_page(cursor, after):
    cursor.execute(
        "SELECT max(id) FROM (SELECT id FROM auth_user WHERE id > %s ORDER BY id LIMIT %s) AS page",
        [after, PAGE_SIZE],
    )
    return cursor.fetchone()[0]
