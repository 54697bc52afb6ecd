"""Events and deliveries are found among millions, and no list counts or sorts them all."""

import pytest
from django.utils import timezone

from notifier.admin import reading
from notifier.models import Delivery, Event
from tests.support.builders import make_delivery, make_event, make_trigger, make_user

from .browser import text_of
from .outbox import DELIVERIES, EVENTS, make_both, make_failed

pytestmark = pytest.mark.django_db

Status = Delivery.Status


@pytest.fixture
def rows():
    """Five deliveries, by what they are searched for."""
    ada = make_user(username="ada")
    return {
        "to ada": make_delivery(
            recipient=f"user:{ada.pk}", address="", status=Status.SKIPPED, reason="no_address"
        ),
        "by address": make_delivery(address="bo@example.org"),
        "by provider": make_delivery(provider_id="ses-4711"),
        "by sms": make_delivery(channel="sms", address="+44 7400 123401"),
        "failed": make_failed(reason="template_failed"),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=bo@example.org", ["by address"]),
        ("q=BO@EXAMPLE", ["by address"]),
        ("q=ses-4711", ["by provider"]),
        ("q=ada", ["to ada"]),  # who has no address that could be searched
        ("q=%2B44 7400 123401", ["by sms"]),
        ("q=template_failed", ["failed"]),
        ("q=nothing", []),
        ("status__exact=failed", ["failed"]),
        ("channel=sms", ["by sms"]),
        ("reason=no_address", ["to ada"]),
        ("q=example&channel=sms", []),
    ],
)
def test_deliveries_are_found(admin_client, rows, query, names):
    found = admin_client.get(f"{DELIVERIES}?{query}").context["cl"].result_list
    assert [delivery.pk for delivery in found] == [rows[name].pk for name in names]


@pytest.mark.parametrize("term", ["{}", "#{}", " {} "])
def test_a_number_finds_exactly_that_row(admin_client, rows, term):
    wanted = rows["by address"]
    for path, pk in (DELIVERIES, wanted.pk), (EVENTS, wanted.event_id):
        found = admin_client.get(path, {"q": term.format(pk)}).context["cl"].result_list
        assert [row.pk for row in found] == [pk]


def test_a_number_that_is_no_id_is_looked_for_as_text(admin_client, rows):
    for term in "4711", "9" * 30:
        found = admin_client.get(DELIVERIES, {"q": term}).context["cl"].result_list
        assert [row.pk for row in found] == ([rows["by provider"].pk] if term == "4711" else [])


@pytest.mark.parametrize(
    "query", ["q=demo.flashsale:12", "q=post_delete", "status__exact=failed", "q=too+long"]
)
def test_events_are_found(admin_client, query):
    make_event()
    values = {
        "verb": "post_delete",
        "action_object": "demo.flashsale:12",
        "status": Event.Status.FAILED,
        "reason": "too long",
    }
    wanted = make_event(**values)
    assert [event.pk for event in admin_client.get(f"{EVENTS}?{query}").context["cl"].result_list] == [
        wanted.pk
    ]


def test_the_events_of_one_trigger_are_found(admin_client):
    make_event()
    wanted = make_event()
    page = admin_client.get(f"{EVENTS}?trigger__id__exact={wanted.trigger_id}")
    assert [event.pk for event in page.context["cl"].result_list] == [wanted.pk]


def test_text_is_looked_for_among_the_newest_rows_and_in_the_whole_of_one_event(admin_client, monkeypatch):
    monkeypatch.setattr(reading, "MOST_SEARCHED", 3)
    old = make_delivery(address="old@example.org")
    for _ in range(3):
        make_delivery()

    def find(query):
        return [
            delivery.pk for delivery in admin_client.get(f"{DELIVERIES}?{query}").context["cl"].result_list
        ]

    assert find("q=old@example.org") == []
    assert find(f"q={old.pk}") == [old.pk]
    assert find(f"q=old@example.org&event__id__exact={old.event_id}") == [old.pk]


def test_nothing_is_counted_beyond_what_anybody_pages_through(admin_client, monkeypatch):
    monkeypatch.setattr(reading, "MOST_COUNTED", 3)
    for _ in range(5):
        make_delivery()
    page = admin_client.get(DELIVERIES)
    assert page.context["cl"].result_count == 3
    assert "The newest 3 are listed here." in text_of(page)


@pytest.mark.parametrize("query", ["", "?q=e"])
def test_the_list_of_deliveries_takes_as_many_queries_for_thirty_as_for_three(queries_of, query):
    event = make_event()

    def make(number):
        for _ in range(number):
            make_delivery(event=event, recipient=f"user:{make_user().pk}")

    make(3)
    few = queries_of(DELIVERIES + query)
    make(27)
    assert queries_of(DELIVERIES + query) == few


@pytest.mark.parametrize("query", ["", "?q=demo"])
def test_the_list_of_events_takes_as_many_queries_for_thirty_as_for_three(queries_of, query):
    triggers = [make_trigger(subscribe=False) for _ in range(30)]

    def make(some):
        Event.objects.bulk_create(
            Event(
                trigger=trigger,
                verb="post_save",
                action_object="demo.post:1",
                data={},
                created_at=timezone.now(),
            )
            for trigger in some
        )

    make(triggers[:3])
    few = queries_of(EVENTS + query)
    make(triggers[3:])
    assert queries_of(EVENTS + query) == few


def test_no_list_asks_a_table_of_millions_for_its_distinct_values_or_its_count(
    admin_client, django_assert_max_num_queries
):
    make_both()
    for path in EVENTS, DELIVERIES:
        with django_assert_max_num_queries(100) as captured:
            admin_client.get(path)
        for query in captured:
            assert "DISTINCT" not in query["sql"]
            assert "COUNT(" not in query["sql"] or "LIMIT" in query["sql"]
