"""What ``make bench`` measures is what it says, by the handlers that Lambda has; and that it runs at all."""

import pytest

from notifier.models import Delivery, Event
from notifier.queue.publisher import publish
from notifier.queue.ring import Ring
from tests.bench import crowd, letter, measures, rows, table
from tests.support.builders import make_delivery
from tests.support.wire import Wire

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = measures.Sizes(people=(1, 40), rounds=(2, 1), saves=3, save_rounds=2, slow_seconds=0.2)


@pytest.mark.parametrize("batch_size", [1, 50])
def test_the_handler_that_is_measured_sends_what_it_is_given(batch_size):
    ids = [make_delivery().pk for _ in range(3)]
    measures.deliver(measures.noop_handler(batch_size=batch_size), iter(ids), len(ids))
    assert set(Delivery.objects.values_list("status", flat=True)) == {Delivery.Status.SENT}


def test_all_is_measured_and_shown_in_one_table():
    with Wire() as wire:
        found = measures.measure(wire, SMALL) | crowd.measure(wire, few=50, crowd=60, is_long=True)
    lines = table.of_measures({"one database": found, "another": found}).strip().splitlines()
    names = [name for name, needs, _show in table.figures() if found.keys() >= set(needs)]
    assert [line.split("|")[1].strip() for line in lines[2:]] == names
    # All but the mails to numbers of people that are not tried here.
    assert len(names) == len(list(table.figures())) - 3
    assert {line.count("|") for line in lines} == {4}


def test_the_bare_rows_are_the_same_as_those_of_the_fan_out():
    letter.make_people(5)
    subscription = letter.make_rule("demo.flashsale")
    with Wire() as wire:
        letter.save_sale()
        wire.carry("fanout")
    event = Event.objects.get()
    rows.copy_rows(event.pk, letter.silent_event(event.pk))
    other = set(Delivery.objects.exclude(event=event).values_list("recipient", "address", "lane", "status"))
    assert other == set(event.deliveries.values_list("recipient", "address", "lane", "status"))
    assert (len(other), {each.subscription_id for each in Delivery.objects.all()}) == (5, {subscription.pk})


def test_the_queues_of_the_wire_are_fair_between_groups():
    wire = Wire()
    wire.put("email", *[("sale", f"sale {number}") for number in range(30)], ("code", "a code"))
    assert ("code", "a code") in wire.take("email", 2)
    wire.put("email", ("", "of no group"))
    assert len(wire.take("email")) == 10
    assert wire.waiting == {"email": 20}


def test_a_wire_that_refuses_loses_no_row_and_one_that_takes_hands_on_what_came():
    rings = [Ring(route="email", ids=(number,)) for number in range(1, 13)]
    with Wire() as wire:
        wire.refuses = True
        assert publish(rings) == rings
        wire.refuses = False
        assert publish(rings) == []
        assert wire.waiting == {"email": 12}
